"""Exceptions that pass through, with a coroutine in sight that did not cause them."""

import asyncio
import contextlib
from typing import Any

from .registry import probe, program


def _caught(call, *kinds):
    try:
        call()
    except kinds as error:
        return (
            type(error).__name__,
            str(error),
            getattr(error, "__notes__", []),
            type(error.__cause__).__name__,
            type(error.__context__).__name__,
        )
    return None


@program
def ordinary_errors(guard):
    @guard(returns=Any)
    def check(error):
        raise error

    kinds = (
        ValueError, KeyError, StopIteration, StopAsyncIteration, KeyboardInterrupt,
        SystemExit, GeneratorExit, asyncio.CancelledError, RecursionError,
    )  # fmt: skip
    return [_caught(lambda k=kind: check(k("down")), BaseException) for kind in kinds]


@program
async def ordinary_errors_of_async_check(guard):
    @guard(returns=Any)
    async def check(error):
        raise error

    states = []
    for kind in (ValueError, KeyError, StopIteration, asyncio.CancelledError):
        error = kind("down")
        try:
            await check(error)
        except BaseException as raised:
            states.append((type(raised).__name__, str(raised)))
            states.append(getattr(raised, "__notes__", []))
    return states


@program
async def type_error_beside_a_pending_coroutine(guard):
    pending = []

    @guard(returns=Any)
    def check(config):
        state = probe()
        pending.append(state)
        return config["url"]

    seen = _caught(lambda: check(None), TypeError)
    return seen, await pending[0]


@program
async def attribute_error_beside_a_pending_coroutine(guard):
    state = probe()

    @guard(returns=Any)
    def check(config, waiting):
        return config.url

    seen = _caught(lambda: check(None, state), AttributeError)
    return seen, await state


@program
async def own_type_error_beside_a_task(guard):
    @guard(returns=Any)
    async def check():
        task = asyncio.create_task(probe())
        try:
            raise TypeError("the task needs a name; awaiting one")
        finally:
            await task

    try:
        await check()
    except TypeError as error:
        return str(error), getattr(error, "__notes__", [])


@program
def error_that_talks_of_coroutines(guard):
    @guard(returns=Any)
    def check():
        raise RuntimeError("the coroutine pool is full, awaiting a free slot")

    return _caught(check, RuntimeError)


@program
async def closed_in_finally(guard):
    @guard(returns=Any)
    def check():
        with contextlib.closing(probe()):
            raise ConnectionError("down")

    return _caught(check, ConnectionError)


@program
async def error_out_of_a_task_group(guard):
    async def fails():
        raise ConnectionError("down")

    @guard(returns=Any)
    async def check():
        async with asyncio.TaskGroup() as group:
            group.create_task(probe())
            group.create_task(fails())

    try:
        await check()
    except* ConnectionError as group:
        count = len(group.exceptions)
    return count


@program
def chained_errors(guard):
    @guard(returns=Any)
    def check():
        try:
            {}["url"]
        except KeyError as error:
            raise ValueError("no url") from error

    return _caught(check, ValueError)


@program
def type_error_of_a_wrong_call(guard):
    @guard(returns=Any)
    def check(name):
        return name

    return _caught(lambda: check(), TypeError), _caught(
        lambda: check("a", extra=1), TypeError
    )


@program
async def type_error_of_a_wrong_async_call(guard):
    @guard(returns=Any)
    async def check(name):
        return name

    try:
        await check()
    except TypeError as error:
        return str(error)


@program
async def errors_that_name_what_is_in_sight(guard):
    pending = []

    @guard(returns=Any)
    async def check(error):
        task = asyncio.create_task(probe())
        future = asyncio.get_running_loop().create_future()
        state = probe()
        pending.append((task, future, state))
        raise error

    texts = (
        "Task 'probe' timed out after 3 s",
        "Future is in the past",
        "the coroutine pool is exhausted",
        "expected a coroutine function, got str",
        "coroutine probe was slow",
        "no coroutine left",
        "Task must be a dict",
    )
    for kind in (RuntimeError, TypeError, ValueError, KeyError, AttributeError):
        for text in texts:
            try:
                await check(kind(text))
            except kind as error:
                assert not getattr(error, "__notes__", [])
    for task, future, state in pending:
        future.cancel()
        await asyncio.gather(task, state)
    return len(pending)


@program
async def timeout_of_a_task_in_sight(guard):
    @guard(returns=Any)
    async def check():
        task = asyncio.create_task(asyncio.Event().wait())
        try:
            await asyncio.wait_for(task, 0)
        except TimeoutError as error:
            raise ConnectionError(f"{task.get_name()}: {task!r}") from error

    try:
        await check()
    except ConnectionError as error:
        return getattr(error, "__notes__", [])


@program
async def wrong_arguments_beside_awaitables(guard):
    @guard(returns=Any)
    async def check():
        task = asyncio.create_task(probe())
        state = probe()
        try:
            probe(1, 2, 3)
        finally:
            await asyncio.gather(task, state)

    try:
        await check()
    except TypeError as error:
        return str(error), getattr(error, "__notes__", [])


@program
async def errors_of_asyncio_itself(guard):
    @guard(returns=Any)
    async def check(act):
        future = asyncio.get_running_loop().create_future()
        future.set_result(1)
        task = asyncio.create_task(probe())
        try:
            return act(future, task)
        finally:
            await task

    states = []
    for act in (
        lambda future, task: future.set_result(2),
        lambda future, task: task.result(),
        lambda future, task: task.set_result(1),
    ):
        try:
            await check(act)
        except Exception as error:
            states.append((type(error).__name__, getattr(error, "__notes__", [])))
    return states
