"""Promises that are only written: text annotations, aliases, type variables."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NamedTuple,
    Optional,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
)

from .registry import probe, program

if TYPE_CHECKING:
    import collections.abc as abc
    import typing as t

    from elsewhere import Query as Redis
    from elsewhere import Row

AwaitableT = TypeVar("AwaitableT", bound=Awaitable[Any])


class Query:
    """A lazy query: each step returns another, the last is awaited."""

    def __init__(self, name: str = "all") -> None:
        self.name = name

    def __await__(self) -> Generator[Any, None, str]:
        yield from ()
        return self.name


class Waits(Protocol):
    def __await__(self) -> Generator[Any, None, str]: ...


@dataclass
class Application:
    query: Query
    task: asyncio.Task[str] | None = None


@dataclass
class Extended(Application):
    name: str = "extended"


class Pair(NamedTuple):
    name: str
    task: asyncio.Task[str]


class Jobs(TypedDict):
    task: asyncio.Task[str]


@program
async def class_as_text(guard):
    @guard(returns=Any)
    def build() -> Query:
        return Query()

    return build().name


@program
async def local_class_as_text(guard):
    class Local(Query):
        pass

    @guard(returns=Any)
    def build() -> Local:
        return Local()

    return build().name


@program
async def class_known_to_type_checkers_only(guard):
    @guard(returns=Any)
    def build() -> Redis:
        return _redis()("redis")

    return build().name


@program
async def optional_class_known_to_type_checkers_only(guard):
    @guard(returns=Any)
    def build() -> Redis | None:
        return _redis()("redis")

    return build().name


@program
async def awaitable_of_what_type_checkers_know(guard):
    @guard(returns=Any)
    def build() -> Awaitable[Row]:
        return probe()

    return await build()


@program
async def awaitable_by_qualified_name(guard):
    @guard(returns=Any)
    def build() -> abc.Awaitable[Row]:
        return probe()

    return await build()


@program
async def coroutine_by_typing_alias(guard):
    @guard(returns=Any)
    def build() -> t.Coroutine[t.Any, t.Any, Row]:
        return probe()

    return await build()


@program
async def optional_awaitable_as_text(guard):
    @guard(returns=Any)
    def build() -> t.Optional[Awaitable[Row]]:  # noqa: UP045
        return probe()

    return await build()


@program
async def union_with_awaitable_as_text(guard):
    @guard(returns=Any)
    def build() -> Row | Awaitable[Row]:
        return probe()

    return await build()


@program
async def old_optional(guard):
    @guard(returns=Any)
    def build() -> Optional[Awaitable[str]]:  # noqa: UP045
        return probe()

    return await build()


@program
async def annotated_awaitable(guard):
    @guard(returns=Any)
    def build() -> Annotated[Awaitable[str], "later"]:
        return probe()

    return await build()


@program
async def protocol_with_await(guard):
    @guard(returns=Any)
    def build() -> Waits:
        return Query("protocol")

    return await build()


@program
async def bound_type_variable(guard):
    @guard(returns=Any)
    def track(awaitable: AwaitableT) -> AwaitableT:
        return awaitable

    return await track(probe())


@program
async def fluent_methods_return_self(guard):
    class Fluent(Query):
        @guard(returns=Any)
        def where(self, name: str) -> Self:
            self.name = name
            return self

        @guard(returns=Any)
        def limit(self) -> Fluent:
            return self

    return await Fluent().where("redis").limit()


@program
async def field_of_dataclass_as_text(guard):
    @guard(returns=Any)
    def build():
        return Application(Query())

    return build().query.name


@program
async def field_of_base_class_as_text(guard):
    @guard(returns=Any)
    def build():
        return Extended(Query(), asyncio.create_task(probe()))

    return await build().task


@program
async def field_of_named_tuple(guard):
    @guard(returns=Any)
    def start() -> Pair:
        return Pair("redis", asyncio.create_task(probe()))

    return await start().task


@program
async def key_of_typed_dict(guard):
    @guard(returns=Any)
    def start() -> Jobs:
        return {"task": asyncio.create_task(probe())}

    return await start()["task"]


@program
async def contract_names_the_task(guard):
    @guard(returns=asyncio.Task)
    def start():
        return asyncio.create_task(probe())

    return await start()


@program
async def contract_names_the_awaitable(guard):
    @guard(returns=Awaitable[str])
    def start():
        return probe()

    return await start()


@program
async def contract_holds_tasks(guard):
    @guard(returns=dict[str, asyncio.Task])
    def start():
        return {"redis": asyncio.create_task(probe())}

    return await start()["redis"]


if sys.version_info >= (3, 12):
    _names: dict[str, Any] = {"Awaitable": Awaitable}
    exec("type Pending[T] = Awaitable[T]\ntype Later = Pending[str]", _names)

    @program
    async def alias_by_type_statement(guard):
        def build():
            return probe()

        build.__annotations__["return"] = _names["Later"]
        return await guard(returns=Any)(build)()

    @program
    async def generic_alias_by_type_statement(guard):
        def build():
            return probe()

        build.__annotations__["return"] = _names["Pending"][str]
        return await guard(returns=Any)(build)()


def _redis():
    """Return a class of the name that the annotations above speak of."""
    return type("Redis", (Query,), {})
