"""Drops, and the guards that they belong to."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import threading
import warnings
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from coroguard import LeakKind, configure, guard, mode, subscribe, watch
from coroguard._runtime import drops, modes
from coroguard._runtime.collector import collect
from coroguard._runtime.drops import subscribe_unclaimed
from coroguard._runtime.hot import HOT

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


async def twin() -> bool:
    return True


def drop() -> None:
    twin()


async def adrop() -> None:
    drop()


@pytest.fixture
def seen() -> Iterator[list[tuple[str, str]]]:
    """The name and the guard of each drop that is reported."""
    found: list[tuple[str, str]] = []

    def hear(event: Any) -> None:
        if event.leak is not None and event.leak.kind is LeakKind.DROPPED:
            found.append((event.leak.name, event.guarded))

    unsubscribe = subscribe(hear)
    yield found
    unsubscribe()


@pytest.fixture
def no_takers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let unclaimed drops go where they go without the pytest plugin."""
    monkeypatch.setattr("coroguard._runtime.unclaimed._takers", [])


@pytest.fixture
def reported(no_takers: None) -> Iterator[None]:
    """Report unclaimed drops."""
    before = modes.process.unclaimed
    configure(unclaimed="report")
    yield
    configure(unclaimed="report" if before else "off")


# --- the guard that nobody awaited


@guard(returns=Any, name="health check")
async def health() -> object:
    return {}


@pytest.mark.parametrize("level", ["off", "observe", "enforce", "strict"])
@pytest.mark.usefixtures("no_takers")
def test_a_guard_that_nobody_awaits_reports_itself(level: str, seen: Any) -> None:
    """A guarded coroutine that is dropped is an event in every mode but off."""
    with mode(level):
        assert bool(health())
    assert seen == [("health", "health check")] * (level != "off")


def test_a_guard_inside_a_guard_is_one_event(seen: Any) -> None:
    """The guard around the drop reports it, and the dropped one does not again."""
    with mode("enforce"):
        guard(returns=Any, name="outer")(lambda: bool(health()))()
    assert seen == [("health", "outer")]


@pytest.mark.usefixtures("no_takers")
def test_a_guard_that_is_off_takes_nothing(seen: Any) -> None:
    """What is dropped in a guard that is off belongs to what is around it."""
    off = guard(returns=Any, mode="off", name="inner")(lambda: bool(health()))
    with mode("enforce"):
        off()
        guard(returns=Any, name="outer")(lambda: off())()
    assert seen == [("health", "health check"), ("health", "outer")]


def facade() -> Awaitable[bool]:
    return twin()


@pytest.mark.usefixtures("no_takers")
class Dropping:
    """An object that leaves a coroutine behind when it dies."""

    def __del__(self) -> None:
        twin()


@guard(returns=Any)
def ignores(given: object) -> object:
    return 1


@guard(returns=Any)
async def aignores(given: object) -> object:
    return 1


@guard(returns=Any)
def refuses(given: object) -> object:
    raise KeyError


@pytest.mark.parametrize("make", [twin, lambda: [twin()], Dropping])
@pytest.mark.parametrize("ignored", [ignores, aignores, refuses])
def test_an_argument_that_dies_with_a_call_is_its_callers(
    ignored: Any, make: Any, seen: Any, no_takers: None
) -> None:
    """The call did not make it: the guard around the caller has it, or nobody.

    Were it left to the call that has ended, every guard would take the long way from
    then on, and a later call with the same frame would be blamed.
    """

    def call() -> object:
        with contextlib.suppress(KeyError):
            result = ignored(make())
            if ignored is aignores:
                with contextlib.suppress(StopIteration):
                    result.send(None)
        return 1

    call()
    assert (seen, HOT.alert, drops.pending) == ([], False, {})
    guard(returns=Any, name="caller")(call)()
    assert (seen, HOT.alert) == ([("twin", "caller")], False)


@pytest.mark.parametrize("value", [1, None, "text", twin, object(), (1,), {"a": 1}])
def test_a_call_that_drops_is_seen_whatever_it_returns(value: Any, seen: Any) -> None:
    """A result that can hold nothing does not hide what was left behind."""

    @guard(returns=Any)
    def check() -> object:
        twin()
        return value

    check()
    check()
    assert [name for name, _ in seen] == ["twin", "twin"]


def test_a_promised_coroutine_that_is_dropped_is_one_event(seen: Any) -> None:
    """A facade's coroutine that nobody awaits is reported once, and warned of once."""
    guarded = guard(returns=Any, name="facade")(facade)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        guarded()
    assert seen == [("twin", "facade")]
    assert len(caught) == 1


# --- the innocent


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@guard(returns=Any, name="bystander")
async def bystander() -> None:
    await settle()


async def in_an_open_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(adrop())
        await bystander()


async def beside_in_gather() -> None:
    await asyncio.gather(adrop(), bystander())


async def beside_in_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(bystander())
        group.create_task(adrop())


async def made_before() -> None:
    task = asyncio.create_task(adrop())
    await bystander()
    await task


async def in_a_callback() -> None:
    asyncio.get_running_loop().call_soon(drop)
    await bystander()


async def as_a_callback() -> None:
    asyncio.get_running_loop().call_soon(twin)
    await bystander()


async def of_two_guards() -> None:
    async def later() -> None:
        await settle()
        drop()

    task = asyncio.create_task(later())
    waits = guard(returns=Any)(lambda: None)

    @guard(returns=Any, name="first")
    async def first() -> None:
        await asyncio.shield(task)

    @guard(returns=Any, name="second")
    async def second() -> None:
        await asyncio.shield(task)

    waits()
    await asyncio.gather(first(), second())


async def by_a_callback_of_the_user() -> None:
    done = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(adrop())
    task.add_done_callback(lambda _: done.set_result(None))

    @guard(returns=Any, name="waits for a signal")
    async def waits() -> None:
        await done

    await waits()


async def in_a_pool() -> None:
    loop = asyncio.get_running_loop()
    job = loop.run_in_executor(None, drop)
    await bystander()
    await job


INNOCENT = [
    *(in_an_open_group, beside_in_gather, beside_in_group, made_before),
    *(in_a_callback, as_a_callback, of_two_guards, by_a_callback_of_the_user),
    in_a_pool,
]


@pytest.mark.parametrize("level", ["observe", "enforce", "strict"])
@pytest.mark.parametrize("program", INNOCENT, ids=lambda it: it.__name__)
def test_an_innocent_guard_is_not_blamed(program: Any, level: str, seen: Any) -> None:
    """No guard is blamed for a drop that it has nothing to do with."""
    with mode(level):
        asyncio.run(program())
    assert [who for _, who in seen if who] == []


@pytest.mark.parametrize("level", ["observe", "enforce", "strict"])
def test_code_that_the_collector_runs_blames_nobody(level: str, seen: Any) -> None:
    """A finalizer that drops a coroutine does so in nobody's name."""

    class Dropping:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            drop()

    def tidy() -> None:
        gc.collect()

    Dropping()
    with mode(level):
        guard(returns=Any, name="innocent")(tidy)()
    assert [who for _, who in seen if who] == []


def test_a_borrowed_loop_brings_no_blame(seen: Any) -> None:
    """A sync guard that runs a shared loop answers for what it awaits only."""

    async def background() -> None:
        await asyncio.sleep(0)
        drop()

    async def own() -> None:
        await settle()
        twin()

    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(background())
        check = guard(returns=Any, name="own")(lambda: loop.run_until_complete(own()))
        with mode("enforce"):
            check()
        loop.run_until_complete(task)
    finally:
        loop.close()
    assert [who for _, who in seen] == ["own"]


def test_a_loop_without_frames_brings_no_blame(seen: Any) -> None:
    """Of uvloop no frame shows which guard runs it, and the guard is not blamed."""
    uvloop = pytest.importorskip("uvloop")
    loop = uvloop.new_event_loop()

    async def own() -> None:
        loop.call_soon(drop)
        loop.call_soon(twin)
        await settle()

    try:
        with mode("enforce"):
            guard(returns=Any)(lambda: loop.run_until_complete(own()))()
    finally:
        loop.close()
    assert [who for _, who in seen if who] == []


# --- unclaimed drops


@pytest.mark.usefixtures("reported")
def test_unclaimed_drops_are_reported_where_configured(seen: Any) -> None:
    """A drop outside of every guard is an event without a guard."""
    drop()
    assert seen == [("twin", "")]


@pytest.mark.usefixtures("no_takers")
def test_unclaimed_drops_are_not_reported_by_default(seen: Any) -> None:
    """Where nothing is configured, a drop outside of every guard is Python's."""
    with mode("enforce"):
        drop()
    assert seen == []


@pytest.mark.usefixtures("reported")
def test_a_collected_cycle_is_unclaimed(seen: Any) -> None:
    """The event of a coroutine in a cycle is there when gc.collect() returns."""
    cycle: list[Any] = [twin()]
    cycle.append(cycle)
    del cycle
    collect()
    assert seen == [("twin", "")]


@pytest.mark.usefixtures("reported", "collected_by_hand")
def test_a_subscriber_may_need_a_lock_of_the_collecting_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A collection inside a locked block does not wait for its own lock for ever."""
    monkeypatch.setattr("coroguard._runtime.collector._PATIENCE_S", 0.01)
    lock, heard = threading.Lock(), threading.Event()

    def hear(event: object) -> None:
        with lock:
            heard.set()

    unsubscribe = subscribe(hear)
    cycle: list[Any] = [twin()]
    cycle.append(cycle)
    del cycle
    with lock:
        collect()
        assert not heard.is_set()
    assert heard.wait(30)
    unsubscribe()


@pytest.mark.usefixtures("reported", "collected_by_hand")
def test_a_collection_of_another_thread_does_not_hide_garbage(seen: Any) -> None:
    """Garbage that is made while another thread collects is collected, too."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            begun.set()
            go_on.wait(30)

    def other() -> None:
        Slow()
        gc.collect()

    thread = threading.Thread(target=other)
    thread.start()
    assert begun.wait(30)
    cycle: list[Any] = [twin()]
    cycle.append(cycle)
    del cycle
    assert gc.collect() == 0  # this is what Python does
    threading.Timer(0.01, go_on.set).start()
    collect()
    thread.join()
    assert [name for name, _ in seen] == ["twin"]


@pytest.mark.usefixtures("reported")
def test_asyncios_complaints_are_unclaimed(
    seen: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A pending task that is destroyed is an event, and asyncio's record stays."""

    async def forgotten() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        asyncio.create_task(forgotten())  # noqa: RUF006 - that is the bug
        await asyncio.sleep(0)
        collect()

    asyncio.run(main())
    assert [name.rpartition(".")[2] for name, _ in seen] == ["forgotten"]
    records = [it for it in caplog.records if it.name == "asyncio"]
    assert [it.levelno for it in records] == [logging.ERROR]


# --- the hook


def test_the_hook_of_another_library_stays() -> None:
    """With another library's hook in between, each drop counts once for each."""
    before = warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]
    theirs = []

    def hook(coroutine: Any) -> None:
        theirs.append(coroutine.__name__)
        before(coroutine)

    warnings._warn_unawaited_coroutine = hook  # type: ignore[attr-defined]
    try:
        for _ in range(2):
            with watch(mode="observe") as leaks:
                drop()
            assert len(leaks) == 1
    finally:
        warnings._warn_unawaited_coroutine = before  # type: ignore[attr-defined]
    assert theirs == ["twin", "twin"]


def test_the_newest_taker_gets_what_nobody_claims() -> None:
    """Unclaimed drops are given to one taker, until that ends its subscription."""
    taken: list[str] = []
    undo = subscribe_unclaimed(lambda coroutine, _: taken.append(coroutine.__name__))
    with mode("enforce"):
        drop()
        guard(returns=Any)(drop)()
    undo()
    undo()
    assert taken == ["twin"]


def test_a_call_that_ends_in_another_thread_leaves_no_tracking_behind() -> None:
    """The next strict call of the thread puts the depth of origins back."""

    @guard(returns=Any, mode="strict")
    async def check(*pauses: Any) -> None:
        for pause in pauses:
            await pause

    def run(coroutine: Any) -> None:
        with contextlib.suppress(StopIteration):
            coroutine.send(None)

    before = sys.get_coroutine_origin_tracking_depth()
    suspended = check(asyncio.sleep(0))
    run(suspended)
    other = threading.Thread(target=run, args=(suspended,))
    other.start()
    other.join()
    run(check())
    assert sys.get_coroutine_origin_tracking_depth() == before


# --- one coroutine inside of another


async def wait(awaitable: Any, *more: Any) -> None:
    await awaitable


@guard(returns=Any, mode="observe", name="check")
def check_inner() -> None:
    wait(wait(twin()))
    wait(1)
    twin()


def test_a_coroutine_that_was_given_to_a_dropped_one_needs_no_await_of_its_own() -> (
    None
):
    """The advice on the inner one is to await the outer one that was given it."""
    advices: list[str] = []

    def hear(event: Any) -> None:
        advices.append(event.leak.advice)

    unsubscribe = subscribe(hear)
    check_inner()
    unsubscribe()
    by_themselves = [it for it in advices if "where" in it]
    assert [it for it in advices if it not in by_themselves] == [
        "await wait(...), which was given wait",
        "await wait(...), which was given twin",
    ]
    assert len(by_themselves) == 3
    assert drops._holders == {}
