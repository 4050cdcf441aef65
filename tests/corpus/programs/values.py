"""Values that look or read like a leak and are not."""

import asyncio
import functools
import types
from collections.abc import Awaitable
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

from coroguard import HealthReport

from .registry import probe, program

TEXTS = (
    "the coroutine pool is full",
    "awaiting connection",
    "coroutine",
    "await",
    "await it",
    "coroutine is_connected finished in 3 ms",
    "the coroutine was awaited twice in the log above",
    "12 coroutines were cancelled, 3 awaited",
    "object store can't be reached",
    "the 'coroutine' keyword is new in 3.5",
    "async_generator",
    "Each coroutine object gets its own frame; have you awaited it?",
    "use `await client.get(...)`, otherwise you get a coroutine object",
    "<b>coroutine</b> <object>",
    "class Coroutine(Awaitable): ...",
    "task was never scheduled; nobody awaited approval",
    "no attribute 'get' on request object",
)


@program
def texts_about_coroutines(guard):
    @guard(returns=Any)
    def answer(text):
        return {"role": "assistant", "content": text, "words": text.split()}

    return [answer(text) for text in TEXTS]


@program
def texts_in_a_report(guard):
    @guard
    def check(text):
        return HealthReport.model_validate(
            {
                "healthy": False,
                "failed_components": ["agent"],
                "component_details": {"agent": {"status": "failed", "error": text}},
                "error_suggestions": [text],
                "timestamp": "2026-01-01T00:00:00+00:00",
                "summary": text,
            }
        )

    return [type(check(text)).__name__ for text in TEXTS]


@program
def texts_returned_bare(guard):
    @guard(returns=str)
    def answer(text):
        return text

    return [answer(text) for text in TEXTS]


@program
def bytes_of_a_log(guard):
    @guard(returns=bytes)
    def read():
        return b"<coroutine object is_connected at 0x7f5c3c0b9a40>"

    return read()


@program
def async_function_as_value(guard):
    @guard(returns=Any)
    def handlers():
        return {
            "function": probe,
            "partial": functools.partial(probe, "redis"),
            "list": [probe, probe],
            "lambda": lambda: probe(),
        }

    return sorted(handlers())


@program
async def async_method_as_value(guard):
    class Manager:
        async def ping(self):
            return "pong"

        @staticmethod
        async def static():
            return "static"

    @guard(returns=Any)
    def handlers():
        return [Manager().ping, Manager.static, Manager.ping]

    return await handlers()[0]()


@program
def classes_as_values(guard):
    class Client:
        def __await__(self):
            yield

    @guard(returns=Any)
    def kinds():
        return [asyncio.Task, asyncio.Future, types.CoroutineType, Client, Mock]

    return [kind.__name__ for kind in kinds()]


@program
def type_returned(guard):
    class Client:
        def __await__(self):
            yield

    @guard(returns=Any)
    def kind():
        return Client

    return kind().__name__


@program
def await_set_to_none(guard):
    class Sync:
        __await__ = None

    @guard(returns=Any)
    def build():
        return Sync()

    return type(build()).__name__


@program
def await_on_the_instance(guard):
    class Sync:
        def __init__(self):
            self.__await__ = lambda: iter(())

    @guard(returns=Any)
    def build():
        return Sync()

    return type(build()).__name__


@program
def magic_mock_returned(guard):
    @guard(returns=Any)
    def build():
        return {"mock": MagicMock(), "plain": Mock(), "list": [MagicMock()]}

    return sorted(build()), type(build()["mock"]).__name__


@program
def magic_mock_bare(guard):
    mock = MagicMock()

    @guard(returns=Any)
    def build():
        return mock

    return build() is mock, mock.mock_calls


@program
async def async_mock_object(guard):
    mock = AsyncMock(return_value="pong")

    @guard(returns=Any)
    def build():
        return mock

    return await build()(), mock.await_count


@program
async def async_mock_guarded(guard):
    mock = AsyncMock(return_value="pong")
    check = guard(returns=Any)(mock)
    return await check()


@program
async def async_partial_guarded(guard):
    check = guard(returns=str)(functools.partial(probe, "database"))
    return await check()


@program
async def async_callable_object_guarded(guard):
    class Check:
        async def __call__(self, name):
            return name

    return await guard(returns=str)(Check())("redis")


@program
async def lossy_wrapper_with_a_promise(guard):
    def lossy(function):
        def inner(*args):
            return function(*args)

        inner.__annotations__["return"] = Awaitable[str]
        return inner

    return await guard(returns=str)(lossy(probe))()


@program
def exceptions_as_values(guard):
    @guard(returns=Any)
    def check():
        try:
            raise ConnectionError("no connection: awaiting retry")
        except ConnectionError as error:
            return {"error": error}

    return type(check()["error"]).__name__


@program
def module_and_code_as_values(guard):
    @guard(returns=Any)
    def check():
        return {"module": asyncio, "code": probe.__code__, "none": None, "n": ...}

    return sorted(check())


@program
def loop_objects_as_values(guard):
    @guard(returns=Any)
    async def check():
        return {
            "queue": asyncio.Queue(),
            "lock": asyncio.Lock(),
            "event": asyncio.Event(),
            "loop": asyncio.get_running_loop(),
            "timeout": asyncio.timeout(1),
            "group": asyncio.TaskGroup(),
            "semaphore": asyncio.Semaphore(),
        }

    return sorted(asyncio.run(check()))


@program
async def worker_with_a_task_inside(guard):
    class Worker:
        def __init__(self):
            self._task = asyncio.create_task(probe())

    @guard(returns=Any)
    def start():
        return Worker()

    return await start()._task
