"""Forms in which the value itself is awaitable."""

import asyncio
import contextlib
import contextvars
import functools
import types
from collections.abc import Awaitable, Coroutine
from concurrent import futures
from unittest.mock import AsyncMock

from coroguard import HealthReport

from .registry import form, is_connected


@types.coroutine
def old_style():
    yield


async def stream():
    yield 1


@contextlib.asynccontextmanager
async def open_connection():
    yield 1


class Busy(futures.Executor):
    """An executor that never comes to its work."""

    def submit(self, work, /, *args, **kwargs):
        return futures.Future()


class Promise:
    """Awaitable by its own `__await__`, and nothing else."""

    def __await__(self):
        yield from ()


class Registered:
    """Awaitable as an abstract base class sees it."""

    __await__ = Promise.__await__


Awaitable.register(Registered)


class Foreign(Coroutine):
    """A coroutine that `inspect.iscoroutine` denies, as Cython's are."""

    def send(self, value):
        raise StopIteration

    def throw(self, *error):
        raise StopIteration

    def close(self):
        pass

    def __await__(self):
        return iter(())


class AsyncCheck:
    async def __call__(self):
        return False


class Manager:
    async def is_connected(self):
        return False

    @classmethod
    async def any_connected(cls):
        return False

    @staticmethod
    async def none_connected():
        return False


def lossy(function):
    def inner(*args):
        return function(*args)

    return inner


class AsyncDescriptor:
    def __get__(self, instance, owner):
        return is_connected()


class Lazy:
    connected = AsyncDescriptor()

    def __getattr__(self, name):
        return is_connected()

    def __getitem__(self, key):
        return is_connected()


@form("RETURNED")
def coroutine():
    return is_connected()


@form("RETURNED")
async def coroutine_of_async_check():
    return is_connected()


@form("RETURNED")
def coroutine_on_one_path():
    try:
        raise ConnectionError
    except ConnectionError:
        return is_connected()


@form("RETURNED")
def coroutine_from_finally():
    waiting = is_connected()
    try:
        return waiting
    finally:
        del waiting


@form("RETURNED")
def coroutine_after_or():
    return is_connected() or {}


@form("RETURNED")
def coroutine_after_and():
    return True and is_connected()


@form("RETURNED")
def coroutine_of_walrus():
    if connected := is_connected():
        return connected
    return None


@form("RETURNED", leaked="Manager.is_connected")
def coroutine_of_method():
    return Manager().is_connected()


@form("RETURNED", leaked="Manager.any_connected")
def coroutine_of_class_method():
    return Manager.any_connected()


@form("RETURNED", leaked="Manager.none_connected")
def coroutine_of_static_method():
    return Manager.none_connected()


@form("RETURNED", leaked="AsyncCheck.__call__")
def coroutine_of_callable_object():
    return AsyncCheck()()


@form("RETURNED")
def coroutine_of_partial():
    return functools.partial(is_connected)()


@form("RETURNED")
def coroutine_of_lru_cache():
    return functools.lru_cache(is_connected)()


@form("RETURNED")
def coroutine_of_context():
    return contextvars.copy_context().run(is_connected)


@form("RETURNED")
def coroutine_of_property():
    return Lazy().connected


@form("RETURNED")
def coroutine_of_getattr():
    return Lazy().anything


@form("RETURNED")
def coroutine_of_getitem():
    return Lazy()["anything"]


@form("RETURNED")
def coroutine_of_dict_default():
    return {}.get("connected", is_connected())


@form("RETURNED", leaked="AsyncMockMixin._execute_mock_call")
def coroutine_of_async_mock():
    return AsyncMock()()


@form("RETURNED", leaked="AsyncMockMixin._execute_mock_call")
async def coroutine_of_async_mock_child():
    session = AsyncMock()
    return (await session.execute("SELECT 1")).scalars()


@form("RETURNED", leaked="to_thread")
def coroutine_of_to_thread():
    return asyncio.to_thread(int)


@form("RETURNED", leaked="sleep")
def coroutine_of_sleep():
    return asyncio.sleep(0)


@form("RETURNED", leaked="old_style")
def generator_based_coroutine():
    return old_style()


@form("RETURNED", leaked="stream", returns=HealthReport)
def async_generator():
    return stream()


@form("RETURNED", leaked="stream", returns=HealthReport)
async def async_generator_of_async_check():
    return stream()


@form("RETURNED", leaked="<genexpr>", returns=HealthReport)
async def async_generator_expression():
    return (item async for item in stream())


@form("RETURNED", leaked=None, returns=HealthReport)
def next_of_async_generator():
    return anext(stream())


@form("RETURNED", leaked=None, returns=HealthReport)
def send_of_async_generator():
    return stream().asend(None)


@form("RETURNED", leaked=None, returns=HealthReport)
def wrapped_coroutine():
    awaiting = is_connected()
    awaitable = awaiting.__await__()
    return Pending(awaitable)


class Pending:
    def __init__(self, awaitable):
        self.awaitable = awaitable

    def __await__(self):
        return self.awaitable

    def __del__(self):
        self.awaitable.close()


@form("RETURNED", returns=HealthReport)
async def task():
    return asyncio.create_task(is_connected())


@form("RETURNED", returns=HealthReport)
async def ensured_future():
    return asyncio.ensure_future(is_connected())


@form("RETURNED", leaked=None, returns=HealthReport)
async def future():
    return asyncio.get_running_loop().create_future()


@form("RETURNED", leaked=None, returns=HealthReport)
async def gathering():
    return asyncio.gather(is_connected())


@form("RETURNED", leaked=None, returns=HealthReport)
async def executor_future():
    return asyncio.get_running_loop().run_in_executor(Busy(), int)


@form("RETURNED", leaked="open_connection", returns=HealthReport)
def async_context_manager():
    return open_connection()


@form("RETURNED", leaked=None, returns=HealthReport)
def custom_awaitable():
    return Promise()


@form("RETURNED", leaked=None, returns=HealthReport)
def registered_awaitable():
    return Registered()


@form("RETURNED", leaked=None, returns=HealthReport)
def foreign_coroutine():
    return Foreign()


anonymous = form("RETURNED")(lambda: is_connected())
lossy_wrapper = form("RETURNED")(lossy(is_connected))
