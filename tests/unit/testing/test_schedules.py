"""Seeded schedules of asyncio's own loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import weakref
from asyncio.base_events import BaseEventLoop
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from coroguard import GuardUsageError
from coroguard.testing.schedules import (
    StuckError,
    cancellations,
    delays,
    exceptions,
    explore,
    replay,
)
from coroguard.testing.schedules.loop import attached, scheduled
from coroguard.testing.schedules.schedule import Limits, Schedule
from coroguard.testing.schedules.tokens import Script, Seed, decode, encode

POLICIES = ("jitter", "random", "pct", "pct2")


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def lost_update() -> None:
    account = {"balance": 0}

    async def deposit(distance: int) -> None:
        await turns(distance)
        balance = account["balance"]
        await turns(1)
        account["balance"] = balance + 1

    early = asyncio.create_task(deposit(0), name="early")
    await asyncio.gather(early, deposit(4))
    assert account["balance"] == 2


@pytest.mark.parametrize("policy", POLICIES)
def test_failure_names_the_steps_that_had_to_swap(policy: str) -> None:
    """A failure names the two tasks, by given name or by function, and their lines."""
    failure = explore(lost_update, policy=policy).failure
    assert failure is not None
    assert "deposit #3 (" in str(failure)
    assert "ran before early (" in str(failure)
    assert "test_schedules.py:" in str(failure)
    assert f"replay(..., {failure.token!r})" in str(failure)


@pytest.mark.parametrize("policy", POLICIES)
def test_failure_is_replayed_from_its_token(policy: str) -> None:
    """Without I/O every replay of a token fails in the same way."""
    failure = explore(lost_update, policy=policy).failure
    assert failure is not None
    again = replay(lost_update, failure.token, runs=4)
    assert (again.reproduced, again.runs) == (4, 4)
    assert str(again) == "reproduced 4 of 4"
    assert type(again.error) is AssertionError


def test_failure_without_shrinking_is_replayed_from_its_seed() -> None:
    """A token may also be the seed, with what the policy needs."""
    failure = explore(lost_update, policy="pct", shrinks=False).failure
    assert failure is not None
    recipe, _ = decode(failure.token)
    assert isinstance(recipe, Seed)
    assert replay(lost_update, failure.token, runs=2).reproduced == 2


def test_shrinking_keeps_only_what_the_failure_needs() -> None:
    """Without any one of the decisions that are left, the failure does not happen."""
    failure = explore(lost_update, policy="random").failure
    assert failure is not None
    recipe, _ = decode(failure.token)
    assert isinstance(recipe, Script)
    assert 0 < failure.decisions == len(recipe) <= failure.made
    for point in recipe.choices:
        rest = {it: index for it, index in recipe.choices.items() if it != point}
        assert replay(lost_update, encode(Script(rest)), runs=1).reproduced == 0


def test_check_raises_the_error_with_a_note() -> None:
    """``check()`` raises what failed, and its note has the token."""
    found = explore(lost_update)
    with pytest.raises(AssertionError) as caught:
        found.check()
    assert found.failure is not None
    assert found.failure.token in "".join(caught.value.__notes__)
    assert explore(lost_update, runs=1).check() is None


def test_token_of_changed_code_has_diverged() -> None:
    """A replay that comes to fewer choices than the token has is marked."""
    again = replay(lost_update, encode(Script({0: 40})), runs=1)
    assert again.diverged
    assert str(again) == "reproduced 0 of 1; the code has other choices now"


def orders(run: object) -> list[str]:
    order: list[str] = []

    async def step(name: str, count: int) -> None:
        for number in range(count):
            order.append(f"{name}{number}")
            await asyncio.sleep(0 if number % 2 else 0.0001)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for name in "abc":
            loop.call_soon(order.append, name)
        await asyncio.gather(step("x", 4), step("y", 3), asyncio.to_thread(bool))

    run(main)
    return order


def test_seed_0_is_asyncios_own_order() -> None:
    """The first run has the order of the bare loop, whatever the policy."""
    for policy in POLICIES:
        found = orders(lambda main, policy=policy: explore(main, runs=1, policy=policy))
        assert found == orders(lambda main: asyncio.run(main()))


@pytest.mark.parametrize("policy", POLICIES)
def test_same_seed_makes_the_same_decisions(policy: str) -> None:
    """A run is a function of its seed."""

    async def racing() -> None:
        await asyncio.gather(*map(turns, range(5)))

    def decisions(seed: int) -> Script:
        schedule = Schedule(Seed(policy, seed, 10))
        with scheduled(schedule):
            asyncio.run(racing())
        return schedule.script

    assert decisions(7) == decisions(7)
    assert decisions(0) == Script()
    assert len({str(decisions(seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_overtakes_a_plain_callback(policy: str) -> None:
    """Callbacks run in the order of ``call_soon``, and before later steps."""

    async def main() -> None:
        loop, order = asyncio.get_running_loop(), list[int]()
        done = asyncio.Event()

        async def late() -> None:
            order.append(3)
            done.set()

        async def noise() -> None:
            await turns(9)

        tasks = [asyncio.create_task(noise()) for _ in range(3)]
        loop.call_soon(order.append, 1)
        loop.call_soon(order.append, 2)
        tasks.append(asyncio.create_task(late()))
        await done.wait()
        assert order == [1, 2, 3]
        await asyncio.gather(*tasks)

    assert explore(main, runs=25, policy=policy).failure is None


@pytest.mark.parametrize("policy", POLICIES)
def test_cancellation_by_a_callback_is_not_overtaken(policy: str) -> None:
    """``call_soon(task.cancel)`` is a callback, though its method is a task's."""

    async def main() -> None:
        loop, seen = asyncio.get_running_loop(), list[int]()
        others = [asyncio.create_task(turns(5)) for _ in range(3)]
        task = asyncio.create_task(turns(9))
        loop.call_soon(task.cancel)
        loop.call_soon(lambda: seen.append(task.cancelling()))
        await asyncio.gather(task, *others, return_exceptions=True)
        assert seen == [1]

    assert explore(main, runs=25, policy=policy).failure is None


@pytest.mark.parametrize("policy", POLICIES)
def test_yield_lets_what_was_started_or_woken_run_first(policy: str) -> None:
    """After ``sleep(0)`` a task finds that its child and its waiter have run."""

    async def main() -> None:
        ran: list[str] = []
        event = asyncio.Event()

        async def waiter() -> None:
            ran.append("started")
            await event.wait()
            ran.append("woken")

        others = [asyncio.create_task(turns(12)) for _ in range(3)]
        task = asyncio.create_task(waiter())
        await asyncio.sleep(0)
        assert ran == ["started"]
        event.set()
        await asyncio.sleep(0)
        assert ran == ["started", "woken"]
        await asyncio.gather(task, *others)

    assert explore(main, runs=25, policy=policy).failure is None


@pytest.mark.parametrize("policy", POLICIES)
def test_waiting_actively_for_another_task_ends(policy: str) -> None:
    """No task waits for ever behind one that polls."""

    async def main() -> None:
        done = asyncio.Event()

        async def work() -> None:
            await turns(5)
            done.set()

        async def poll() -> None:
            while not done.is_set():
                await asyncio.sleep(0)

        await asyncio.gather(poll(), work(), poll())

    assert explore(main, runs=8, policy=policy, max_steps=20_000).failure is None


def test_pct_finds_with_its_bound() -> None:
    """PCT of depth 2 finds a bug of depth 2 in 1 / (n * k) of the seeds at least."""

    async def rare() -> None:
        order: list[str] = []

        async def early() -> None:
            await turns(1)
            order.append("early")

        async def late() -> None:
            await turns(12)
            order.append("late")

        await asyncio.gather(early(), late(), turns(3))
        assert order == ["early", "late"]

    first = explore(rare, runs=1, policy="pct2")
    assert first.failure is None
    tasks, choices, seeds = 4, first.points, 150
    found = 0
    for number in range(1, seeds):
        with scheduled(Schedule(Seed("pct2", number, choices))):
            try:
                asyncio.run(rare())
            except AssertionError:
                found += 1
    assert found >= seeds / (tasks * choices)


def test_livelock_is_reported() -> None:
    """A run that never ends is a failure that names the step, and does not hang."""

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    failure = explore(spin, runs=1, max_steps=2_000).failure
    assert failure is not None
    assert isinstance(failure.error, StuckError)
    assert "did not end within 2,000 steps" in str(failure.error)
    assert "spin" in str(failure.error)


def test_livelock_that_refuses_its_cancellation_is_reported() -> None:
    """Closing the loop has a limit, too."""

    async def spin() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    failure = explore(spin, runs=1, max_steps=2_000).failure
    assert failure is not None
    assert isinstance(failure.error, StuckError)


def test_livelock_of_a_schedule_is_reported() -> None:
    """A livelock that only some orders have is found by its many steps."""

    async def livelock() -> None:
        state = {"flag": False}

        async def clear() -> None:
            await turns(5)
            state["flag"] = False

        async def wait() -> None:
            state["flag"] = True
            while state["flag"]:
                await asyncio.sleep(0)

        async def late() -> None:
            await turns(3)
            await wait()

        await asyncio.gather(clear(), late())

    failure = explore(livelock, max_steps=2_000).failure
    assert failure is not None
    assert isinstance(failure.error, StuckError)
    assert failure.seed > 0


def test_deadlock_is_reported() -> None:
    """A wait that nothing can end is a failure that names who waits and where."""

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    failure = explore(wait, runs=1, timeout_s=0.05).failure
    assert failure is not None
    assert isinstance(failure.error, StuckError)
    assert "waits for ever" in str(failure.error)
    assert "test_schedules.py:" in str(failure.error)


def test_wait_for_a_thread_ends_at_the_time_limit() -> None:
    """What a thread may still end is waited for, but not longer than ``timeout_s``."""
    forever = threading.Event()

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        thread = threading.Thread(target=forever.wait, daemon=True)
        thread.start()
        await future

    try:
        failure = explore(wait, runs=1, timeout_s=0.05).failure
    finally:
        forever.set()
    assert failure is not None
    assert "did not end within 0.05 s" in str(failure.error)


def test_error_that_nothing_retrieved_is_a_failure() -> None:
    """An exception in a callback, or in a task that nothing awaits, fails the run."""

    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await turns(1)

    failure = explore(main, runs=1).failure
    assert failure is not None
    assert type(failure.error) is ZeroDivisionError


def test_what_is_cancelled_with_the_loop_is_no_failure() -> None:
    """A server's task that the end of the loop cancels is not an error."""

    async def main() -> None:
        serving = asyncio.create_task(asyncio.sleep(60))
        # As asyncio's streams do up to Python 3.11: it raises the cancellation.
        serving.add_done_callback(lambda task: task.exception())
        await turns(1)

    assert explore(main, runs=3).failure is None


def test_thread_that_ends_in_the_run_hides_no_other() -> None:
    """A run waits for its thread, though one that was there before has ended."""
    leave = threading.Event()
    older = threading.Thread(target=leave.wait)

    async def main() -> None:
        leave.set()
        while older.is_alive():
            await asyncio.sleep(0.001)
        await asyncio.to_thread(time.sleep, 0.1)

    older.start()
    with scheduled(Schedule(Seed("jitter", 1), limits=Limits(threads_wake=False))):
        asyncio.run(main())


def test_thread_of_an_earlier_run_answers_in_a_later_one() -> None:
    """A pool that outlives a run is waited for, though the first run had no wait."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(bool).result()
        runs = iter(range(3))

        async def main() -> None:
            loop = asyncio.get_running_loop()
            number = next(runs)
            work = loop.run_in_executor(pool, time.sleep, 0.05 * number)
            while number == 0 and not work.done():
                await asyncio.sleep(0)
            await work

        assert explore(main, runs=3).failure is None


def test_virtual_clock_skips_waits() -> None:
    """Timers end in their order, an hour passes at once, and threads are waited for."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        order: list[str] = []

        async def after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        began = loop.time()
        await asyncio.gather(after(7200, "late"), after(3600, "early"))
        assert order == ["early", "late"]
        assert loop.time() - began >= 7200
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 5), 30) == 5

    assert explore(main, runs=5, clock="virtual").failure is None


def test_other_threads_are_left_alone() -> None:
    """A loop of another thread runs in asyncio's own order, and calls get through."""
    kinds: list[type] = []

    async def child() -> None:
        kinds.append(type(asyncio.get_running_loop()._ready))

    async def main() -> None:
        await asyncio.to_thread(lambda: asyncio.run(child()))
        await asyncio.gather(*(asyncio.to_thread(bool) for _ in range(5)))

    assert explore(main, runs=10).failure is None
    assert set(kinds) == {deque}


def test_loop_is_as_before_afterwards() -> None:
    """Nothing of a schedule is left in asyncio, nor in a loop that goes on."""
    original = BaseEventLoop.run_forever
    with asyncio.Runner() as runner:
        with scheduled(Schedule(Seed("random", 3))):
            runner.run(turns(3))
        loop = runner.get_loop()
        assert type(loop._ready) is deque
        assert type(loop._selector).__name__ != "_Selector"
        runner.run(turns(3))
    assert BaseEventLoop.run_forever is original


def test_tasks_are_not_kept_alive() -> None:
    """A task that nothing holds any more is freed during the run, as without us."""
    freed: list[bool] = []

    async def main() -> None:
        task = weakref.ref(asyncio.create_task(turns(1)))
        await turns(4)
        gc.collect()
        freed.append(task() is None)

    assert explore(main, runs=2).failure is None
    assert freed == [True, True]


def test_blocks_inside_each_other() -> None:
    """The inner one of two explorations decides."""

    def outer() -> None:
        assert explore(lost_update).failure is not None
        asyncio.run(turns(1))

    assert explore(outer, runs=2).failure is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
def test_eager_tasks_race_after_their_first_await() -> None:
    """An eager first step cannot be reordered; what follows it can."""

    async def eager() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await lost_update()

    failure = explore(eager).failure
    assert failure is not None
    assert replay(eager, failure.token).reproduced == 5


def test_uvloop_is_refused() -> None:
    """A loop whose steps cannot be ordered is refused, by name."""
    uvloop = pytest.importorskip("uvloop")
    loop = uvloop.new_event_loop()
    refused = pytest.raises(GuardUsageError, match=r"uvloop\.Loop, which is not a loop")
    with refused, attached(loop, Schedule(Seed("jitter", 1))):
        pass
    loop.close()
    with pytest.raises(GuardUsageError, match="uvloop or trio"):
        explore(lambda: uvloop.run(turns(1)), runs=1)


def test_unknown_internals_are_refused() -> None:
    """A loop that keeps what is ready in another way is refused, not broken."""

    class Other(asyncio.SelectorEventLoop):
        def __init__(self) -> None:
            super().__init__()
            self._ready = type("Queue", (deque,), {})()

    loop = Other()
    refused = pytest.raises(GuardUsageError, match="its ready queue is a Queue")
    with refused, attached(loop, Schedule(Seed("jitter", 1))):
        pass
    loop.close()


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "'' is not a replay token"),
        ("jitter", "is not a replay token"),
        (None, "None is not a replay token"),
        (encode(Script({3: 1}))[:-1], "is not a replay token"),
        (encode(Script({3: 1})).replace("c3", "c4"), "checksum does not match"),
        (encode(Seed("jitter", 4)).replace("s4", "s5"), "checksum does not match"),
        (encode(Seed("jittery", 4)), "'jittery' is not a policy"),
        (encode("c3-1.x9"), "has the part 'x9'"),  # type: ignore[arg-type]
        ("c" * 5000, "is not a replay token"),
    ],
)
def test_malformed_token_is_refused(token: object, message: str) -> None:
    """What is wrong with a token is named, and nothing is run."""
    with pytest.raises(GuardUsageError, match=message) as caught:
        replay(lambda: pytest.fail("was run"), token)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "recipe",
    [
        Script(),
        Script({0: 1, 17: 3}),
        Script({2: 1}, {5: 0}),
        Script({}, {1: 2}),
        Seed("jitter", 0),
        Seed("pct7", 123456789, 40),
    ],
    ids=str,
)
def test_token_holds_its_decisions(recipe: Script | Seed) -> None:
    """A token is decoded to what it was made of, and needs no quotes in a shell."""
    token = encode(recipe)
    assert decode(token) == (recipe, "0000")
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs=0 is not a whole number from 1 up"),
        ({"runs": -3}, "runs=-3 is not"),
        ({"runs": 2.5}, "runs=2.5 is not"),
        ({"runs": True}, "runs=True is not"),
        ({"seed": -1}, "seed=-1 is not a whole number from 0 up"),
        ({"policy": "jiter"}, "Did you mean 'jitter'"),
        ({"policy": "pct0"}, "'pct0' is not a policy"),
        ({"policy": "pctx"}, "'pctx' is not a policy"),
        ({"policy": 3}, "3 is not a policy"),
        ({"clock": "fast"}, "clock='fast' is not real or virtual"),
        ({"max_steps": 0}, "max_steps=0 is not"),
        ({"timeout_s": 0}, "timeout_s=0 is not positive"),
        ({"faults": [1]}, "1 is not a fault"),
        ({"faults": ValueError}, "is not a fault; make one with"),
    ],
    ids=str,
)
def test_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    """A wrong option is named, and nothing is run."""
    with pytest.raises(GuardUsageError, match=message):
        explore(lambda: pytest.fail("was run"), **options)  # type: ignore[arg-type]


def test_coroutine_in_the_place_of_its_function_is_refused() -> None:
    """A coroutine runs once only."""
    coroutine = turns(1)
    with pytest.raises(GuardUsageError, match="pass the coroutine function itself"):
        explore(coroutine)  # type: ignore[arg-type]
    coroutine.close()


async def test_running_loop_is_refused() -> None:
    """Inside a loop nothing is explored, and the message has the way out."""
    with pytest.raises(GuardUsageError, match=r"asyncio\.to_thread"):
        explore(lost_update)
    found = await asyncio.to_thread(explore, lost_update)
    assert found.failure is not None


def test_function_without_a_loop_is_refused() -> None:
    """What runs no loop proves nothing."""
    with pytest.raises(GuardUsageError, match="no loop of asyncio ran"):
        explore(lambda: None, runs=3)


async def server_with_clients() -> None:
    """Serve two clients, of which the second is slower."""
    served: list[str] = []

    async def receive(name: str, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return name

    async def client(name: str, seconds: float) -> None:
        served.append(await receive(name, seconds))

    clients = (client("a", 0.01), client("b", 0.05))
    results = await asyncio.gather(*clients, return_exceptions=True)
    assert served == ["a", "b"], results


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (delays(0.1, at="*receive", rate=0.3), "a delay of 0.1 s in client"),
        (cancellations(at="*client", rate=0.3), "a cancellation in client"),
        (exceptions(OSError, at="*receive", rate=0.3), "OSError in client"),
    ],
    ids=["delay", "cancellation", "exception"],
)
def test_fault_is_injected_and_replayed(fault: object, name: str) -> None:
    """What a seed injects is found, named with its line, and replayed."""
    found = explore(server_with_clients, faults=[fault], clock="virtual")
    assert found.failure is not None
    assert name in str(found.failure)
    again = replay(
        server_with_clients, found.failure.token, faults=[fault], clock="virtual"
    )
    assert again.reproduced == 5
    assert explore(server_with_clients, runs=20, clock="virtual").failure is None


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_stall_of_the_machine_changes_the_order_of_timers(clock: str) -> None:
    """A wait may end behind a timer that is due a little later."""

    async def race() -> None:
        order: list[str] = []

        async def after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        await asyncio.gather(after(0.004, "early"), after(0.006, "late"))
        assert order == ["early", "late"]

    failure = explore(race, clock=clock).failure
    assert failure is not None
    assert failure.seed > 0
    if clock == "virtual":
        assert "a stall of the machine in after #2" in str(failure)
        assert replay(race, failure.token, clock=clock).reproduced == 5


@pytest.mark.parametrize("policy", POLICIES)
def test_what_has_twice_its_time_is_in_time(policy: str) -> None:
    """No stall makes a timeout of twice the wait expire."""

    async def main() -> None:
        async with asyncio.timeout(0.05):
            await asyncio.sleep(0.02)
        assert await asyncio.wait_for(asyncio.sleep(0.001, 5), 0.01) == 5

    assert explore(main, runs=60, policy=policy, clock="virtual").failure is None


def test_fault_happens_only_where_it_is_asked_for() -> None:
    """A pattern that fits no task and no function injects nothing."""
    fault = exceptions(OSError, at="other.*", rate=1)
    found = explore(server_with_clients, runs=20, faults=[fault], clock="virtual")
    assert found.failure is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: delays(0),
        lambda: delays(float("inf")),
        lambda: delays(rate=0),
        lambda: delays(rate=1.5),
        lambda: cancellations(at=""),
        lambda: exceptions("boom", at="*"),
        lambda: exceptions(StopIteration, at="*"),
        lambda: exceptions(asyncio.CancelledError, at="*"),
    ],
)
def test_wrong_fault_is_refused(make: object) -> None:
    """A fault that cannot happen is refused where it is made."""
    with pytest.raises(GuardUsageError):
        make()
