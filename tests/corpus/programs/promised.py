"""Functions that return an awaitable on purpose, and promise it."""

import asyncio
import contextlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

from .registry import probe, program

T = TypeVar("T")
Pending: TypeAlias = Awaitable[str]


class Client:
    """A client like redis-py's or asyncpg's pool: awaiting it connects it."""

    def __await__(self) -> Generator[Any, None, "Client"]:
        yield from ()
        return self


class Query(Awaitable[list[str]]):
    """A lazy query like an ORM's: refined first, awaited last."""

    def __init__(self, name: str = "all") -> None:
        self.name = name

    def where(self, name: str) -> "Query":
        return Query(name)

    def __await__(self) -> Generator[Any, None, list[str]]:
        yield from ()
        return [self.name]


@dataclass
class Worker:
    name: str
    task: asyncio.Task[str]


@dataclass
class Application:
    client: Client
    started: "asyncio.Future[None] | None" = None


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    client: Client
    _task: asyncio.Task[str] | None = PrivateAttr(None)


@program
async def facade_returns_awaitable(guard):
    @guard(returns=str)
    def get() -> Awaitable[str]:
        return probe()

    return await get()


@program
async def facade_returns_coroutine(guard):
    @guard(returns=str)
    def get() -> Coroutine[Any, Any, str]:
        return probe()

    return await get()


@program
async def facade_with_quoted_annotation(guard):
    @guard(returns=str)
    def get() -> "Awaitable[str]":
        return probe()

    return await get()


@program
async def facade_with_alias(guard):
    @guard(returns=Any)
    def get() -> Pending:
        return probe()

    return await get()


@program
async def facade_that_may_be_either(guard):
    @guard(returns=Any)
    def get(now: bool) -> str | Awaitable[str]:
        return "redis" if now else probe()

    return get(True), await get(False)


@program
async def facade_with_optional_awaitable(guard):
    @guard(returns=Any)
    def get(name: str | None) -> Awaitable[str] | None:
        return probe(name) if name else None

    return get(None), await get("redis")


@program
async def facade_in_task(guard):
    @guard(returns=str)
    def get() -> Coroutine[Any, Any, str]:
        return probe()

    return await asyncio.create_task(get())


@program
async def facade_in_gather(guard):
    @guard(returns=str)
    def get(name: str) -> Coroutine[Any, Any, str]:
        return probe(name)

    return await asyncio.gather(get("redis"), get("database"))


@program
def facade_in_run(guard):
    @guard(returns=str)
    def get() -> Coroutine[Any, Any, str]:
        return probe()

    return asyncio.run(get())


@program
async def task_returned_as_task(guard):
    @guard(returns=Any)
    def start() -> asyncio.Task[str]:
        return asyncio.create_task(probe(), name="probe")

    task = start()
    return isinstance(task, asyncio.Task), task.get_name(), await task


@program
async def task_cancelled_by_the_caller(guard):
    @guard(returns=Any)
    def start() -> asyncio.Task[str]:
        return asyncio.create_task(probe())

    task = start()
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


@program
async def task_returned_by_async_function(guard):
    @guard(returns=Any)
    async def start() -> "asyncio.Task[str]":
        return asyncio.create_task(probe())

    return await (await start())


@program
async def future_returned_as_future(guard):
    @guard(returns=Any)
    def reserve() -> asyncio.Future[int]:
        return asyncio.get_running_loop().create_future()

    future = reserve()
    future.set_result(1)
    return future.done(), await future


@program
async def async_iterator_returned(guard):
    @guard(returns=Any)
    def rows() -> AsyncIterator[int]:
        async def each():
            for number in range(3):
                yield number

        return each()

    return [row async for row in rows()]


@program
async def async_generator_returned(guard):
    @guard(returns=Any)
    def rows() -> AsyncGenerator[int, None]:
        return (number async for number in _numbers())

    stream = rows()
    first = await anext(stream)
    await stream.aclose()
    return first


@program
async def async_iterable_returned(guard):
    @guard(returns=Any)
    def rows() -> AsyncIterable[int]:
        return _numbers()

    return [row async for row in rows()]


@program
async def async_context_manager_returned(guard):
    @contextlib.asynccontextmanager
    async def connection():
        yield "connection"

    @guard(returns=Any)
    def connect() -> AbstractAsyncContextManager[str]:
        return connection()

    async with connect() as connected:
        return connected


@program
async def async_context_manager_function_guarded(guard):
    @guard(returns=Any)
    @contextlib.asynccontextmanager
    async def connection() -> AsyncIterator[str]:
        yield "connection"

    async with connection() as connected:
        return connected


@program
async def client_returned_as_client(guard):
    @guard(returns=Any)
    def connect() -> Client:
        return Client()

    return type(connect()).__name__, type(await connect()).__name__


@program
async def client_returned_by_async_function(guard):
    client = Client()

    @guard(returns=Client)
    async def connect() -> Client:
        return client

    return (await connect()) is client


@program
async def query_refined_before_it_is_awaited(guard):
    @guard(returns=Any)
    def users() -> Query:
        return Query()

    return await users().where("redis")


@program
async def query_contract(guard):
    @guard(returns=Query)
    def users():
        return Query()

    return await users().where("redis")


@program
async def client_contract(guard):
    client = Client()

    @guard(returns=Client)
    def connect():
        return client

    return connect() is client


@program
async def method_of_a_facade_class(guard):
    class Repository:
        @guard(returns=str)
        def get(self, name: str) -> Awaitable[str]:
            return probe(name)

        @guard(returns=Any)
        @staticmethod
        def anyone() -> Awaitable[str]:
            return probe("anyone")

    return await Repository().get("redis"), await Repository.anyone()


@program
async def client_in_application(guard):
    @guard(returns=Any)
    def build() -> Application:
        return Application(client=Client())

    return type(build().client).__name__


@program
async def client_in_model(guard):
    @guard(returns=Any)
    def build() -> Model:
        return Model(client=Client())

    return type(build().client).__name__


@program
async def task_in_worker(guard):
    @guard(returns=Any)
    def start() -> Worker:
        return Worker("redis", asyncio.create_task(probe()))

    return await start().task


@program
async def task_in_private_attribute(guard):
    @guard(returns=Any)
    def start() -> Model:
        model = Model(client=Client())
        model._task = asyncio.create_task(probe())
        return model

    return await start()._task


@program
async def awaitables_in_annotated_dict(guard):
    @guard(returns=Any)
    def build() -> dict[str, Awaitable[str]]:
        return {"redis": probe("redis"), "database": probe("database")}

    return {name: await state for name, state in build().items()}


@program
async def tasks_in_annotated_list(guard):
    @guard(returns=Any)
    def start() -> list[asyncio.Task[str]]:
        return [asyncio.create_task(probe()) for _ in range(3)]

    return await asyncio.gather(*start())


@program
async def queue_and_task_in_annotated_tuple(guard):
    @guard(returns=Any)
    def start() -> "tuple[asyncio.Queue[str], asyncio.Task[str]]":
        return asyncio.Queue(), asyncio.create_task(probe())

    _, task = start()
    return await task


@program
async def callbacks_in_annotated_dict(guard):
    @guard(returns=Any)
    def build() -> dict[str, Callable[[], Awaitable[str]]]:
        return {"redis": probe}

    return await build()["redis"]()


async def _numbers():
    for number in range(3):
        yield number
