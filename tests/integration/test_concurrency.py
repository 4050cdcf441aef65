"""Leaks of many calls at once, each with its own guard."""

import asyncio
import concurrent.futures
import contextvars
import dataclasses
import gc
import importlib.util
import multiprocessing
import pickle
import random
import sys
import threading
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coroguard import (
    CoroutineLeakError,
    LeakKind,
    configure,
    guard,
    mode,
    subscribe,
    watch,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]

TASKS = 1_000
THREADS = 32
CALLS_PER_THREAD = 40
CORPUS = Path(__file__).resolve().parents[1] / "corpus"
POOL = CORPUS / "pool"


def _load_crowd():
    spec = importlib.util.spec_from_file_location("crowd", CORPUS / "crowd.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["crowd"] = module
    spec.loader.exec_module(module)
    return module


crowd = _load_crowd()
connector, expected_of = crowd.connector, crowd.expected_of
sync_check, call_sync, plan, run_all = (
    crowd.sync_check,
    crowd.call_sync,
    crowd.plan,
    crowd.run_all,
)


@pytest.fixture
def impatient():
    """Make threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def observed(events):
    return Counter(
        (event.leak.guarded, event.leak.name, event.leak.kind) for event in events
    )


@pytest.mark.parametrize("mode_name", ["observe", "enforce", "strict"])
def test_every_leak_finds_its_own_call(mode_name, events, impatient):
    """A thousand tasks and 32 threads: no leak is lost, invented or mistaken."""
    barrier = threading.Barrier(THREADS + 1)
    plans = [plan(f"thread{n}_", CALLS_PER_THREAD) for n in range(THREADS)]
    failures = []

    def work(number):
        try:
            with mode(mode_name):
                barrier.wait(120)
                half = CALLS_PER_THREAD // 2
                for call in plans[number][:half]:
                    call_sync(*call)
                asyncio.run(run_all(plans[number][half:]))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    with mode(mode_name):
        barrier.wait(120)
        asyncio.run(run_all(plan("task", TASKS)))
    for thread in threads:
        thread.join()
    gc.collect()

    calls = [*plan("task", TASKS), *(call for calls in plans for call in calls)]
    wanted = Counter(pair for call in calls for pair in expected_of(*call))
    assert failures == []
    assert observed(events) == wanted


def test_correct_calls_report_nothing(events, impatient):
    """The same crowd without a bug leaves no event."""
    calls = [(f"task{i}", ("fine", "crashing")[i % 2]) for i in range(TASKS)]
    with mode("strict"), concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        jobs = [pool.submit(call_sync, *call) for call in calls]
        asyncio.run(run_all(calls))
        concurrent.futures.wait(jobs)

    assert observed(events) == {}


def test_watches_of_many_tasks_keep_apart(impatient):
    """Each of a thousand watches lists its own drop and no other."""

    async def one(number):
        connect = connector(number)
        async with watch(mode="observe") as leaks:
            await asyncio.sleep(0)
            if number % 2:
                connect()
            await asyncio.sleep(0)
        return [leak.name for leak in leaks]

    async def main():
        return await asyncio.gather(*(one(number) for number in range(TASKS)))

    wanted = [[f"connect_{n}"] if n % 2 else [] for n in range(TASKS)]
    assert asyncio.run(main()) == wanted


def test_the_innermost_guard_gets_it_once(events):
    """Of nested guards only the innermost reports a drop, and once."""
    connect = connector("x")

    @guard(returns=Any, name="inner")
    async def inner():
        return bool(connect())

    @guard(returns=Any, name="middle")
    def middle():
        return asyncio.run(inner())

    @guard(returns=Any, name="outer")
    async def outer():
        return await asyncio.to_thread(middle)

    with mode("enforce"), watch(mode="observe"):
        assert asyncio.run(outer()) is True

    assert observed(events) == {("inner", "connect_x", LeakKind.DROPPED): 1}


def test_the_outer_guard_gets_what_is_left_after_the_inner(events):
    """A drop after the inner call is over belongs to the outer guard."""

    @guard(returns=Any, name="inner")
    async def inner():
        return bool(connector("inner")())

    @guard(returns=Any, name="outer")
    async def outer():
        before = bool(connector("before")())
        return before and await inner() and bool(connector("after")())

    with mode("enforce"):
        assert asyncio.run(outer()) is True

    assert observed(events) == {
        ("outer", "connect_before", LeakKind.DROPPED): 1,
        ("inner", "connect_inner", LeakKind.DROPPED): 1,
        ("outer", "connect_after", LeakKind.DROPPED): 1,
    }


def test_a_raised_leak_is_not_raised_again(events):
    """An outer guard passes the inner guard's error on without a second event."""

    @guard(returns=Any, name="inner")
    def inner():
        return connector("x")()

    @guard(returns=Any, name="outer")
    def outer():
        return inner()

    with mode("strict"), pytest.raises(CoroutineLeakError, match="inner"):
        outer()

    assert observed(events) == {("inner", "connect_x", LeakKind.RETURNED): 1}


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("mode_name", ["observe", "enforce", "strict"])
def test_the_innermost_of_any_nest_is_blamed(mode_name, seed, events):
    """Over tasks, loops and threads, the innermost guard gets each drop.

    Where the way to it is unknown, a guard further out gets it, or none.
    """
    nest = crowd.Nest.grow(random.Random(seed))
    call = nest.function(mode_name)
    with mode(mode_name):
        asyncio.run(call()) if nest.is_async else call()

    blamed = {event.leak.name: event.leak.guarded for event in events}
    assert len(events) == len(blamed)
    for name, (owners, is_known) in nest.blame().items():
        if is_known or mode_name == "strict":
            assert (name, blamed.get(name)) == (name, owners[-1])
        else:
            assert blamed.get(name) in (*owners, None)


@pytest.mark.parametrize("how", ["to_thread", "run_in_executor"])
@pytest.mark.usefixtures("process_mode")
def test_guards_in_worker_threads_get_their_own(how, events):
    """A guarded sync function that runs in a pool's thread reports its own drops."""

    async def one(number):
        check = sync_check(f"w{number}", "dropped")
        if how == "to_thread":
            return await asyncio.to_thread(check)
        return await asyncio.get_running_loop().run_in_executor(None, check)

    async def main():
        await asyncio.gather(*(one(number) for number in range(100)))

    configure(mode="observe")  # which pool threads follow too
    asyncio.run(main())

    wanted = [f for n in range(100) for f in expected_of(f"w{n}", "dropped")]
    assert observed(events) == Counter(wanted)


@pytest.mark.parametrize("how", ["timeout", "wait_for", "cancel"])
def test_a_cancelled_check_still_names_its_drop(how, events):
    """What a check dropped is reported where it is cancelled, and it stays so."""
    connect = connector("x")
    dropped = asyncio.Event()

    @guard(returns=Any, name="check")
    async def check():
        connect()
        dropped.set()
        await asyncio.Event().wait()

    async def main():
        if how == "timeout":
            async with asyncio.timeout(0.01):
                await check()
        elif how == "wait_for":
            await asyncio.wait_for(check(), 0.01)
        else:
            task = asyncio.create_task(check())
            await dropped.wait()
            task.cancel()
            await task

    kind = asyncio.CancelledError if how == "cancel" else TimeoutError
    with mode("strict"), pytest.raises(kind):
        asyncio.run(main())

    assert observed(events) == {("check", "connect_x", LeakKind.DROPPED): 1}


def test_a_thousand_cancelled_checks_invent_nothing(events):
    """Checks that are cancelled, half of them before they start, leave no event."""
    started = 0

    @guard(returns=Any)
    async def check():
        nonlocal started
        started += 1
        await asyncio.Event().wait()

    async def main():
        tasks = [asyncio.create_task(check()) for _ in range(TASKS // 2)]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(check()) for _ in range(TASKS // 2)]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return sum(task.cancelled() for task in tasks)

    with mode("strict"), watch():
        assert asyncio.run(main()) == TASKS
    gc.collect()

    assert started == TASKS // 2
    assert events == []


def test_a_late_drop_of_a_background_task_blames_no_other(events):
    """A task that outlives its check never blames a check that runs later."""
    gate, over = asyncio.Event(), asyncio.Event()
    running = []

    async def later():
        await gate.wait()
        connector("late")()
        over.set()

    @guard(returns=Any, name="starter")
    async def starter():
        running.append(asyncio.create_task(later()))
        return "started"

    @guard(returns=Any, name="bystander")
    async def bystander():
        gate.set()
        await over.wait()
        return "done"

    async def main():
        await starter()
        return await bystander()

    with mode("strict"):
        assert asyncio.run(main()) == "done"

    assert {event.leak.guarded for event in events} <= {"starter", ""}


def test_a_guard_may_call_itself(events):
    """Re-entrant guards keep one account per call."""

    @guard(returns=Any, name="check")
    def check(depth):
        connector(f"depth{depth}")()
        return depth and check(depth - 1)

    with mode("enforce"):
        check(20)

    assert observed(events) == {
        ("check", f"connect_depth{n}", LeakKind.DROPPED): 1 for n in range(21)
    }


def test_a_subscriber_may_use_guards_itself():
    """A subscriber that leaks inside a guard of its own ends, and breaks nothing."""
    seen = []

    @guard(returns=Any, name="subscriber", mode="observe")
    def record(event):
        if len(seen) < 5:
            seen.append(event.leak.guarded)
            connector("subscriber")()

    unsubscribe = subscribe(record)
    try:
        with mode("observe"):
            assert sync_check("x", "dropped")() == {"healthy": True}
    finally:
        unsubscribe()

    assert seen[0] == "check_x"


def test_a_watch_may_end_in_another_context():
    """Entered and left in different contexts, as fixtures do, a watch still ends."""
    enter, leave = contextvars.copy_context(), contextvars.copy_context()
    block = watch(mode="observe")
    leaks = enter.run(block.__enter__)
    enter.run(lambda: connector("x")() and None)
    leave.run(block.__exit__, None, None, None)

    assert [leak.name for leak in leaks] == ["connect_x"]


def test_the_interpreters_own_warning_still_comes():
    """The guard listens in: CPython's warning is still given."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with mode("observe"):
            sync_check("x", "dropped")()

    texts = [str(warning.message).splitlines()[0] for warning in caught]
    assert "coroutine 'connect_x' was never awaited" in texts


if sys.version_info >= (3, 12):

    @pytest.mark.parametrize("mode_name", ["observe", "strict"])
    def test_eager_tasks_find_their_own_guard(mode_name, events):
        """Under the eager task factory, too, each leak finds its own call."""
        calls = plan("eager", TASKS)

        async def main():
            loop = asyncio.get_running_loop()
            loop.set_task_factory(asyncio.eager_task_factory)
            await run_all(calls)

        with mode(mode_name):
            asyncio.run(main())

        wanted = Counter(pair for call in calls for pair in expected_of(*call))
        assert observed(events) == wanted


@pytest.fixture(scope="module")
def pool_checks():
    """Import the pool's checks by a name that a worker process can import too."""
    sys.path.insert(0, str(POOL))
    import coroguard_pool_checks as checks

    yield checks
    sys.path.remove(str(POOL))


def test_guarded_functions_pickle_by_name(pool_checks):
    """A guarded function, its error and its leak survive a pickle."""
    assert pickle.loads(pickle.dumps(pool_checks.leaking)) is pool_checks.leaking
    leak = pool_checks.leak_of("redis")
    assert pickle.loads(pickle.dumps(leak)) == leak
    with pytest.raises(CoroutineLeakError) as caught:
        pool_checks.leaking("redis")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (CoroutineLeakError, str(caught.value))


def test_guards_work_across_processes(pool_checks):
    """A process pool calls guarded functions, and their errors come home."""
    sys.set_coroutine_origin_tracking_depth(0)  # which a watch around may have set
    spawn = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(max_workers=2, mp_context=spawn)
    with pool:
        healthy = pool.submit(pool_checks.healthy, "redis")
        method = pool.submit(pool_checks.Service().check, "auth")
        leaking = pool.submit(pool_checks.leaking, "redis")
        leak = pool.submit(pool_checks.leak_of, "redis")

        assert healthy.result(200) == {"name": "redis"}
        assert method.result(200) == {"name": "auth"}
        with pytest.raises(CoroutineLeakError, match="is_connected"):
            leaking.result(200)
        here = pool_checks.leak_of("redis")
        origin = {"created": here.created, "created_in": here.created_in}
        assert dataclasses.replace(leak.result(200), **origin) == here
        assert leak.result(200).path == "$.connected"
