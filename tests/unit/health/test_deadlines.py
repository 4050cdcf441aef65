"""A deadline holds whatever the check does; a test that hangs shows that it did not."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from coroguard import GuardUsageError, HealthReport, mode
from coroguard._runtime.modes import current
from coroguard.health import Checked, HealthChecks, acollect, collect, left_behind
from coroguard.health import loop as loop_of_checks

from .conftest import PATIENCE_S, wait_until

SOON_S = 0.02


@pytest.fixture
def black_hole() -> Iterator[tuple[str, int]]:
    """The address of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in held:
            one.close()
    wait_until(lambda: left_behind() == 0)


def late(report: HealthReport) -> dict[str, str | None]:
    return {name: it.error_code for name, it in report.component_details.items()}


async def test_black_holed_socket_costs_the_deadline(
    black_hole: tuple[str, int],
) -> None:
    """A sync and an async client that wait for a silent peer are given up."""

    def check() -> bytes:
        with socket.create_connection(black_hole) as client:
            return client.recv(1)

    async def acheck() -> bytes:
        reader, writer = await asyncio.open_connection(*black_hole)
        try:
            return await reader.read(1)
        finally:
            writer.close()

    found = await acollect(
        {
            "sync": Checked(check, deadline_s=SOON_S),
            "async": Checked(acheck, deadline_s=SOON_S),
            "ok": lambda: True,
        },
        deadline_s=30,
    )
    late_ = {"sync": "DEADLINE_PASSED", "async": "DEADLINE_PASSED", "ok": None}
    assert late(found) == late_
    assert found.component_details["sync"].error == f"no answer within {SOON_S:g} s"


def test_sync_form_gives_blocking_checks_up(release: threading.Event) -> None:
    """``collect`` does not wait for a sync check that blocks."""
    found = collect({"stuck": lambda: release.wait(PATIENCE_S)}, deadline_s=SOON_S)
    assert late(found) == {"stuck": "DEADLINE_PASSED"}
    assert left_behind() == 1


@pytest.mark.parametrize("call", [acollect, collect], ids=["acollect", "collect"])
async def test_coroutine_that_resists_cancellation_is_left(
    call: Any, release: threading.Event
) -> None:
    """A check that swallows its cancellation is left behind, and counted."""

    async def check() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                continue

    found = call({"stuck": check}, deadline_s=SOON_S)
    found = await found if asyncio.iscoroutine(found) else found
    assert late(found) == {"stuck": "DEADLINE_PASSED"}
    assert left_behind() == 1
    release.set()
    while left_behind():
        await asyncio.sleep(0.001)


def test_async_check_that_blocks_the_loop_is_named(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync form answers although an async check blocks its loop, and names it."""
    # In which the thread of the loop has begun the checks, however busy the machine.
    monkeypatch.setattr(loop_of_checks, "GRACE_S", 1.0)

    async def check() -> None:
        release.wait(PATIENCE_S)

    async def other() -> None:
        await asyncio.sleep(PATIENCE_S)

    found = collect({"other": other, "stuck": check}, deadline_s=SOON_S)
    assert late(found) == {"other": "DEADLINE_PASSED", "stuck": "LOOP_BLOCKED"}
    assert "stuck blocks" in (found.component_details["other"].error or "")
    monkeypatch.setattr(loop_of_checks, "GRACE_S", PATIENCE_S)
    again = collect({"stuck": check, "fine": answer}, deadline_s=30)
    assert late(again) == {"stuck": "STILL_RUNNING", "fine": None}


async def answer() -> bool:
    return True


async def test_async_check_that_blocks_its_callers_loop_is_late() -> None:
    """An answer that came after the deadline is late, even where it came first."""

    async def check() -> bool:
        time.sleep(2 * SOON_S)
        return True

    found = await acollect({"slow": check}, deadline_s=SOON_S)
    assert late(found) == {"slow": "DEADLINE_PASSED"}


def test_abandoned_check_blocks_its_own_next_run_only(
    release: threading.Event,
) -> None:
    """However often it is probed, one run of a stuck check is left behind."""
    before = threading.active_count()
    for number in range(20):
        found = collect(
            {
                "stuck": Checked(lambda: release.wait(PATIENCE_S), deadline_s=SOON_S),
                "ok": lambda: True,
            },
            deadline_s=30,
        )
        code = "STILL_RUNNING" if number else "DEADLINE_PASSED"
        assert late(found) == {"stuck": code, "ok": None}
    assert left_behind() == 1
    # It, and the loop of the checks; a thread of a run that has ended may linger.
    wait_until(lambda: threading.active_count() <= before + 2)
    release.set()
    wait_until(lambda: left_behind() == 0)
    again = collect({"stuck": lambda: release.wait(PATIENCE_S)}, deadline_s=30)
    assert again.healthy


def test_checks_made_for_each_request_do_not_pile_up(release: threading.Event) -> None:
    """Lambdas around objects of a request leave a few runs behind at most."""

    def check_of(request: object) -> Callable[[], object]:
        return lambda: release.wait(PATIENCE_S) and request

    for _ in range(10):
        collect({"stuck": check_of(object())}, deadline_s=SOON_S)
    assert left_behind() <= 4


def test_checks_of_two_targets_do_not_block_each_other(
    release: threading.Event,
) -> None:
    """Where the check of one address is stuck, that of another one runs."""

    def check_of(address: str) -> Callable[[], object]:
        return lambda: address == "b" or release.wait(PATIENCE_S)

    collect({"link": check_of("a")}, deadline_s=SOON_S)
    assert collect({"link": check_of("b")}, deadline_s=30).healthy
    assert late(collect({"link": check_of("a")}, deadline_s=30)) == {
        "link": "STILL_RUNNING"
    }


async def test_concurrent_probes_do_not_fail_each_other() -> None:
    """Runs that nobody abandoned do not count as left behind."""

    async def check() -> None:
        await asyncio.sleep(0)

    found = await asyncio.gather(
        *(
            acollect({"it": check, "sync": lambda: None}, deadline_s=60)
            for _ in range(50)
        )
    )
    assert all(found)


async def test_cancelled_caller_leaves_its_checks(release: threading.Event) -> None:
    """A caller that is cancelled does not wait, and its checks are cancelled."""
    was_cancelled = asyncio.Event()

    async def check() -> None:
        try:
            await asyncio.sleep(PATIENCE_S)
        finally:
            was_cancelled.set()

    checks: Any = {"async": check, "sync": lambda: release.wait(PATIENCE_S)}
    task = asyncio.create_task(acollect(checks, deadline_s=PATIENCE_S))
    while not left_behind():
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await was_cancelled.wait()


def test_run_of_a_closed_loop_is_not_left_behind() -> None:
    """A loop that was closed on a pending check does not block the check for ever."""

    async def check() -> None:
        await asyncio.get_running_loop().create_future()

    async def resist() -> None:
        try:
            await check()
        except asyncio.CancelledError:
            await check()

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(acollect({"it": resist}, deadline_s=SOON_S))
        assert left_behind() == 1
    finally:
        loop.set_exception_handler(lambda *_: None)
        loop.close()
    assert left_behind() == 0


request_id: ContextVar[str] = ContextVar("request_id", default="none")


@pytest.mark.parametrize("call", [acollect, collect], ids=["acollect", "collect"])
async def test_context_is_kept(call: Any) -> None:
    """Checks see the context variables and the mode of their caller."""
    request_id.set("r1")

    def check() -> dict[str, str]:
        return {"id": request_id.get(), "mode": str(current())}

    async def acheck() -> dict[str, str]:
        return check()

    with mode("observe"):
        found = call({"sync": check, "async": acheck}, deadline_s=30)
        found = await found if asyncio.iscoroutine(found) else found
    details = [it.details for it in found.component_details.values()]
    assert details == [{"id": "r1", "mode": "observe"}] * 2


def test_trio_uses_the_sync_form(release: threading.Event) -> None:
    """A trio program collects in a thread, and the deadline holds there."""
    trio = pytest.importorskip("trio", reason="trio is not installed")

    async def main() -> HealthReport:
        checks: Any = {"stuck": lambda: release.wait(PATIENCE_S), "async": answer}
        found: HealthReport = await trio.to_thread.run_sync(
            lambda: collect(checks, deadline_s=SOON_S), abandon_on_cancel=True
        )
        return found

    assert late(trio.run(main))["stuck"] == "DEADLINE_PASSED"


def test_async_form_needs_asyncio() -> None:
    """In a loop of another library, the async form names what works there."""
    trio = pytest.importorskip("trio", reason="trio is not installed")
    checks: Any = {"it": answer}
    for call in (acollect, HealthChecks({"it": answer}).acollect):
        arguments = [checks] if call is acollect else []
        with pytest.raises(GuardUsageError, match=r"trio.to_thread.run_sync\(collect"):
            trio.run(call, *arguments)


async def test_sync_form_in_a_running_loop() -> None:
    """``collect`` works where a loop runs already, also in a check of its own."""

    async def nested() -> bool:
        return collect({"inner": answer}, deadline_s=30).healthy

    assert collect({"outer": nested}, deadline_s=60).healthy


def test_eager_tasks(release: threading.Event) -> None:
    """Checks in tasks that start at once are collected as others are."""
    factory = getattr(asyncio, "eager_task_factory", None)
    if factory is None:
        pytest.skip("eager tasks came with Python 3.12")

    async def stuck() -> None:
        await asyncio.sleep(PATIENCE_S)

    async def main() -> HealthReport:
        asyncio.get_running_loop().set_task_factory(factory)
        checks: Any = {"now": answer, "stuck": Checked(stuck, deadline_s=SOON_S)}
        return await acollect(checks, deadline_s=30)

    assert late(asyncio.run(main())) == {"now": None, "stuck": "DEADLINE_PASSED"}
