"""Watches, which see their own block, all of it and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import warnings
from typing import Any

import pytest

from coroguard import (
    CoroutineLeakError,
    GuardUsageError,
    LeakKind,
    NotAwaitableError,
    guard,
    mode,
    watch,
)
from coroguard._runtime.collector import collect

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


async def twin() -> bool:
    return True


def drop() -> bool:
    return bool(twin())


@pytest.mark.parametrize("level", ["observe", "enforce"])
def test_a_drop_is_listed(level: str) -> None:
    """A watch lists what was dropped inside it, and does not raise for it."""
    with mode(level), watch() as leaks:
        drop()
    assert [(leak.kind, leak.name) for leak in leaks] == [(LeakKind.DROPPED, "twin")]


def test_strict_raises_on_leaving() -> None:
    """In strict mode a drop raises when the block is left, with its line."""
    with mode("strict"), pytest.raises(CoroutineLeakError) as caught, watch(name="x"):
        drop()
    assert caught.value.leak.guarded == "x"
    assert caught.value.leak.created_in == "drop"


def test_off_lists_nothing() -> None:
    """In mode off a watch does nothing."""
    with watch(mode="off") as leaks:
        drop()
    assert leaks == []


def test_what_a_guard_sees_is_listed_and_not_raised_again() -> None:
    """A watch lists the leaks of the guards inside it; they are theirs to raise."""
    with mode("strict"), watch() as leaks:
        with pytest.raises(CoroutineLeakError):
            guard(returns=Any)(lambda: {"a": twin()})()
        with pytest.raises(CoroutineLeakError):
            guard(returns=Any)(drop)()
    assert [leak.kind for leak in leaks] == [LeakKind.NESTED, LeakKind.DROPPED]


def test_the_inner_watch_gets_the_drop_and_both_list_it() -> None:
    """Of nested watches the inner one raises, and only once."""
    with mode("observe"), watch() as outer:
        with watch() as inner:
            drop()
        drop()
    assert (len(inner), len(outer)) == (1, 2)


@pytest.mark.parametrize("level", ["enforce", "strict"])
def test_an_exception_of_a_coroutine_is_converted(level: str) -> None:
    """What a coroutine caused leaves as a leak error, the original as its cause."""
    with mode(level), pytest.raises(CoroutineLeakError) as caught, watch():
        twin().get("x")  # type: ignore[attr-defined]
    assert caught.value.leak.kind is LeakKind.MISUSED
    assert isinstance(caught.value.__cause__, AttributeError)


def test_observe_converts_nothing() -> None:
    """In observe mode the exception passes, with a note."""
    with mode("observe"), pytest.raises(AttributeError) as caught, watch() as leaks:
        twin().get("x")  # type: ignore[attr-defined]
    assert "used as a value" in caught.value.__notes__[0]
    assert [leak.kind for leak in leaks] == [LeakKind.MISUSED]


async def test_the_mirror_image_is_converted() -> None:
    """``await`` on a plain value leaves as a ``NotAwaitableError``."""
    with pytest.raises(NotAwaitableError) as caught:
        async with watch():
            await len("x")  # type: ignore[misc]
    assert isinstance(caught.value.__cause__, TypeError)


def test_another_exception_passes() -> None:
    """What no coroutine caused passes as it is."""
    with pytest.raises(KeyError) as caught, watch():
        raise KeyError("x")
    assert not hasattr(caught.value, "__notes__")


def test_it_decorates_both_colours() -> None:
    """Each call of a decorated function, sync or async, is watched."""

    async def adrop() -> bool:
        return drop()

    with mode("strict"):
        with pytest.raises(CoroutineLeakError) as caught:
            watch()(drop)()
        assert caught.value.leak.guarded == "drop"
        with pytest.raises(CoroutineLeakError):
            asyncio.run(watch()(adrop)())


def test_what_cannot_be_watched_is_refused() -> None:
    """A generator function is refused, and so is entering a watch twice."""

    def numbers() -> Any:
        yield 1

    with pytest.raises(GuardUsageError, match="generator function"):
        watch()(numbers)
    with pytest.raises(GuardUsageError, match=r"write @watch\(\)"):
        watch(drop)  # type: ignore[arg-type]
    block = watch()
    with block, pytest.raises(GuardUsageError, match="entered already"):
        block.__enter__()


async def test_children_belong_to_the_watch() -> None:
    """Tasks and worker threads started inside are watched too."""

    async def child() -> None:
        drop()

    async with watch(mode="observe") as leaks:
        await asyncio.gather(child(), child())
        await asyncio.to_thread(drop)
    assert len(leaks) == 3


async def test_a_sibling_is_not_watched() -> None:
    """What another task drops meanwhile belongs to nobody here."""
    turn = asyncio.Event()

    async def sibling() -> None:
        await turn.wait()
        drop()

    task = asyncio.create_task(sibling())
    async with watch() as leaks:
        turn.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await task
    assert leaks == []


def test_what_lives_on_is_no_drop() -> None:
    """A coroutine that is awaited later was never dropped."""
    kept = []
    with mode("strict"), watch() as leaks:
        kept.append(twin())
    assert asyncio.run(kept.pop()) is True
    assert leaks == []


def test_foreign_garbage_is_not_blamed_on_the_watch() -> None:
    """What the garbage collector finds inside a block was made elsewhere."""
    cycle: list[Any] = [twin()]
    cycle.append(cycle)
    del cycle
    with mode("strict"), watch() as leaks:
        collect()
    assert leaks == []


def test_in_strict_what_was_made_before_is_not_blamed() -> None:
    """A coroutine made before the block is not the block's, where that is known."""
    sys.set_coroutine_origin_tracking_depth(0)  # which a watch around may have set
    made = [twin()]
    with mode("strict"), watch() as leaks:
        made.clear()
    assert leaks == []


def test_the_hook_before_is_called_on() -> None:
    """Python's own warning still comes."""
    with warnings.catch_warnings(record=True) as caught, watch(mode="observe"):
        warnings.simplefilter("always")
        drop()
    assert [w.category for w in caught] == [RuntimeWarning]


def test_without_the_interpreters_hook_the_warnings_serve() -> None:
    """Where ``warnings`` has no hook to take over, its public path is read."""
    code = (
        "import warnings\ndel warnings._warn_unawaited_coroutine\n"
        "from coroguard import watch\n"
        "async def twin(): ...\n"
        "with watch() as leaks:\n    twin()\n"
        "print([(leak.kind.value, leak.name) for leak in leaks])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[('dropped', 'twin')]\n"
    assert "was never awaited" in done.stderr


def test_pythons_warning_still_blames_the_users_line() -> None:
    """The hook is not what the warning of Python names in the place of that line."""
    with warnings.catch_warnings(record=True) as caught, watch(mode="observe"):
        warnings.simplefilter("always")
        drop()
    assert [w.filename for w in caught] == [__file__]
