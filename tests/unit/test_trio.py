"""Guards in trio, which has tasks and nurseries of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coroguard import Event, LeakKind, guard, mode, subscribe

trio = pytest.importorskip("trio", reason="trio is not installed here")
pytest.importorskip("trio.testing")

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
    pytest.mark.parametrize("in_mode", ["observe", "enforce", "strict"]),
]


async def twin() -> bool:
    return True


@pytest.fixture
def blamed() -> Iterator[list[str]]:
    """The guards that a drop was reported for; empty names are unclaimed."""
    found: list[str] = []

    def hear(event: Event) -> None:
        if event.leak is not None and event.leak.kind is LeakKind.DROPPED:
            found.append(event.guarded)

    unsubscribe = subscribe(hear)
    yield found
    unsubscribe()


def drop() -> None:
    twin()


def test_a_drop_in_the_guards_own_task_is_the_guards(
    in_mode: Any, blamed: list[str]
) -> None:
    """A guard is known by its frame in a task of trio as well."""

    @guard(returns=Any, name="check", dropped=True)
    async def check() -> None:
        await trio.lowlevel.checkpoint()
        drop()

    with mode(in_mode):
        try:
            trio.run(check)
        except TypeError:
            assert in_mode == "strict"
    assert blamed == ["check"]


def test_a_drop_in_a_child_is_that_of_the_guard_that_awaits_its_nursery(
    in_mode: Any, blamed: list[str]
) -> None:
    """At the end of its block a guard awaits the tasks of its nursery."""

    async def child() -> None:
        await trio.testing.wait_all_tasks_blocked()
        drop()

    @guard(returns=Any, name="check")
    async def check() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    with mode(in_mode):
        try:
            trio.run(check)
        except TypeError:
            assert in_mode == "strict"
    assert blamed == ["check"]


def test_a_sibling_in_a_nursery_is_not_blamed(in_mode: Any, blamed: list[str]) -> None:
    """A guard that waits in one task has no part in what another drops."""
    dropped = trio.Event()

    @guard(returns=Any, name="innocent")
    async def innocent() -> None:
        await dropped.wait()

    async def careless() -> None:
        await trio.testing.wait_all_tasks_blocked()
        drop()
        dropped.set()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(innocent)
            nursery.start_soon(careless)

    with mode(in_mode):
        trio.run(main)
    assert "innocent" not in blamed


def test_a_thread_of_trio_blames_no_other_guard(
    in_mode: Any, blamed: list[str]
) -> None:
    """A worker thread that is used again keeps nothing of the guard before."""
    done = trio.Event()

    @guard(returns=Any, name="innocent")
    async def innocent() -> None:
        await trio.to_thread.run_sync(len, "")
        await done.wait()

    async def careless() -> None:
        await trio.testing.wait_all_tasks_blocked()
        await trio.to_thread.run_sync(drop)
        done.set()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(innocent)
            nursery.start_soon(careless)

    with mode(in_mode):
        trio.run(main)
    assert "innocent" not in blamed
