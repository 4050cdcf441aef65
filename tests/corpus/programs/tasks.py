"""Tasks, cancellation and timeouts."""

import asyncio
import contextlib
import threading

from .registry import probe, program


@program
async def optional_task_truth_test(guard):
    class Worker:
        def __init__(self):
            self.task = None

        def start(self):
            self.task = asyncio.create_task(probe())

        @guard(returns=str)
        async def stop(self):
            return await self.task if self.task else "idle"

    worker = Worker()
    first = await worker.stop()
    worker.start()
    return first, await worker.stop()


@program
async def task_compared_and_formatted(guard):
    @guard(returns=dict)
    async def check():
        task = asyncio.create_task(probe(), name="probe")
        known = task in {task} and task == task and not task.done()
        return {"known": known, "name": f"{task.get_name()}", "is": await task}

    return await check()


@program
async def cancelled_before_start(guard):
    @guard(returns=str)
    async def check():
        task = asyncio.create_task(probe())
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return "cancelled"

    return await check()


@program
async def cancelled_and_forgotten(guard):
    @guard(returns=str)
    async def check():
        asyncio.create_task(probe()).cancel()
        return "cancelled"

    return await check()


@program
async def cancelled_check(guard):
    started = asyncio.Event()

    @guard(returns=str)
    async def check():
        started.set()
        await asyncio.Event().wait()
        return "never"

    task = asyncio.create_task(check())
    await started.wait()
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


@program
async def check_cancelled_before_start(guard):
    @guard(returns=str)
    async def check():
        return "never"

    task = asyncio.create_task(check())
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


@program
async def task_group_aborted(guard):
    @guard(returns=str)
    async def check():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(probe())
                group.create_task(asyncio.Event().wait())
                raise ConnectionError
        except* ConnectionError:
            state = "aborted"
        return state

    return await check()


@program
async def wait_for_without_time(guard):
    @guard(returns=str)
    async def check():
        try:
            return await asyncio.wait_for(asyncio.Event().wait(), 0)
        except TimeoutError:
            return "late"

    return await check()


@program
async def wait_for_no_time_on_ready(guard):
    @guard(returns=object)
    async def check():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(probe(), 0)
        return "done"

    return await check()


@program
async def timeout_inside(guard):
    @guard(returns=str)
    async def check():
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"
        return "never"

    return await check()


@program
async def timeout_outside(guard):
    @guard(returns=str)
    async def check():
        await asyncio.Event().wait()
        return "never"

    try:
        async with asyncio.timeout(0.001):
            return await check()
    except TimeoutError:
        return "late"


@program
async def shielded_after_timeout(guard):
    gate = asyncio.Event()

    async def slow():
        await gate.wait()
        return "slow"

    @guard(returns=str)
    async def check():
        task = asyncio.create_task(slow())
        try:
            await asyncio.wait_for(asyncio.shield(task), 0.001)
        except TimeoutError:
            gate.set()
        return await task

    return await check()


@program
async def first_of_many(guard):
    @guard(returns=str)
    async def check():
        tasks = [asyncio.create_task(probe(name)) for name in "ab"]
        done, pending = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
        for task in pending:
            task.cancel()
        return min(task.result() for task in done)

    return await check()


@program
async def background_task_outlives_the_check(guard):
    running = set()
    gate = asyncio.Event()

    async def later():
        await gate.wait()
        return await probe()

    @guard(returns=str)
    async def check():
        task = asyncio.create_task(later())
        running.add(task)
        return "started"

    state = await check()
    gate.set()
    return state, await running.pop()


@program
async def gather_with_exceptions(guard):
    async def fails():
        raise ConnectionError("down")

    @guard(returns=list)
    async def check():
        results = await asyncio.gather(probe(), fails(), return_exceptions=True)
        return [type(result).__name__ for result in results]

    return await check()


@program
def pending_tasks_at_the_end_of_run(guard):
    kept = []

    @guard(returns=str)
    async def check():
        kept.extend(asyncio.create_task(asyncio.Event().wait()) for _ in range(3))
        kept.append(asyncio.create_task(probe()))
        return "over"

    return asyncio.run(check())


@program
async def run_coroutine_threadsafe(guard):
    loop = asyncio.get_running_loop()

    @guard(returns=str)
    def check():
        return asyncio.run_coroutine_threadsafe(probe(), loop).result(60)

    return await asyncio.to_thread(check)


@program
async def concurrent_future_returned(guard):
    loop = asyncio.get_running_loop()

    @guard(returns=object)
    def submit():
        return asyncio.run_coroutine_threadsafe(probe(), loop)

    return await asyncio.to_thread(submit().result, 60)


@program
def loop_in_a_thread(guard):
    @guard(returns=str)
    def check():
        results = []
        thread = threading.Thread(target=lambda: results.append(asyncio.run(probe())))
        thread.start()
        thread.join()
        return results[0]

    return check()
