"""Values that keep the type they promise, as every type checker agrees."""

import array
import asyncio
import collections
import contextlib
import datetime
import decimal
import enum
import fractions
import inspect
import ipaddress
import numbers
import os
import pathlib
import re
import sys
import threading
import types
import uuid
from collections import abc
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, NewType, Protocol, TextIO, TypedDict

from pydantic import BaseModel

from .registry import probe, program


class Level(enum.IntEnum):
    LOW = 1


class State(enum.StrEnum):
    UP = "up"


class Pair(NamedTuple):
    a: int
    b: int


class Pings(Protocol):
    def ping(self) -> int: ...


class Client:
    def ping(self) -> int:
        return 1


class Row(TypedDict):
    name: str


class Model(BaseModel):
    name: str


class Child(Model):
    age: int = 1


@dataclass
class Record:
    name: str


class Results(list):
    pass


Identity = NewType("Identity", int)

PROMISES: dict[str, tuple[Any, Any]] = {
    "bool as int": (int, True),
    "int enum as int": (int, Level.LOW),
    "text enum as text": (str, State.UP),
    "int as float": (float, 1),
    "new type": (Identity, 1),
    "union": (int | None, None),
    "none": (None, None),
    "literal": (Literal["a", "b"], "a"),
    "list subclass": (list[int], Results([1])),
    "ordered dict as dict": (dict[str, int], collections.OrderedDict(a=1)),
    "ints in dict of floats": (dict[str, float], {"a": 1}),
    "text as sequence": (abc.Sequence[str], "abc"),
    "range as sequence": (abc.Sequence[int], range(3)),
    "deque as sequence": (abc.Sequence[int], collections.deque([1])),
    "tuple as sequence": (abc.Sequence[int], (1, 2)),
    "user dict as mapping": (abc.Mapping[str, int], collections.UserDict(a=1)),
    "chain map as mapping": (abc.Mapping[str, int], collections.ChainMap({"a": 1})),
    "environment as mapping": (abc.Mapping[str, str], os.environ),
    "proxy as mapping": (abc.Mapping[str, int], types.MappingProxyType({"a": 1})),
    "keys as set": (abc.Set[str], {"a": 1}.keys()),
    "keys as iterable": (abc.Iterable[str], {"a": 1}.keys()),
    "frozen set as set": (abc.Set[int], frozenset([1])),
    "list as collection": (abc.Collection[int], [1]),
    "date and time as date": (datetime.date, datetime.datetime(2026, 1, 1)),
    "named tuple as tuple": (tuple[int, int], Pair(1, 2)),
    "named tuple as tuple of any length": (tuple[int, ...], Pair(1, 2)),
    "pattern": (re.Pattern[str], re.compile("x")),
    "number": (numbers.Number, 1),
    "class": (type[int], bool),
    "protocol": (Pings, Client()),
    "typed dict": (Row, {"name": "redis"}),
    "model": (Model, Model(name="redis")),
    "child of model": (Model, Child(name="redis")),
    "dataclass": (Record, Record("redis")),
    "function": (abc.Callable[..., int], len),
    "text file": (TextIO, sys.stdout),
    "enum": (Level, Level.LOW),
    "uuid": (uuid.UUID, uuid.uuid4()),
    "address": (ipaddress.IPv4Address, ipaddress.ip_address("127.0.0.1")),
    "decimal": (decimal.Decimal, decimal.Decimal(1)),
    "fraction": (fractions.Fraction, fractions.Fraction(1, 2)),
    "path": (os.PathLike, pathlib.Path("/")),
    "counter": (collections.Counter[str], collections.Counter("a")),
    "array": (array.array, array.array("i")),
    "thread": (threading.Thread, threading.current_thread()),
    "exception": (Exception, ValueError("down")),
    "module": (types.ModuleType, os),
}


def _enter(name, promise, value):
    def keeps(guard):
        @guard(returns=promise)
        def check():
            return value

        return check() is value

    keeps.__name__ = f"keeps_{name.replace(' ', '_')}"
    program(keeps)


for _name, (_promise, _value) in PROMISES.items():
    _enter(_name, _promise, _value)


@program
def generators_are_not_consumed(guard):
    @guard(returns=abc.Iterator[int])
    def numbers_of():
        return (number for number in range(3))

    @guard(returns=abc.Iterable[int])
    def squares_of():
        return map(abs, range(3))

    return list(numbers_of()), list(squares_of())


@program
def sync_context_manager(guard):
    @guard(returns=Any)
    @contextlib.contextmanager
    def connection():
        yield "connection"

    with connection() as connected:
        return connected


@program
async def async_function_that_hands_out_a_stream(guard):
    async def numbers_of():
        for number in range(3):
            yield number

    @guard(returns=Any)
    async def rows() -> abc.AsyncIterator[int]:
        return numbers_of()

    return [row async for row in await rows()]


@program
async def exit_stacks_and_timeouts(guard):
    @guard(returns=Any)
    def build():
        return {"stack": contextlib.AsyncExitStack(), "after": asyncio.timeout(1)}

    async with build()["stack"] as stack:
        return await stack.enter_async_context(contextlib.nullcontext("entered"))


if sys.version_info >= (3, 12):

    @program
    async def sync_function_marked_as_coroutine_function(guard):
        def build():
            return probe()

        check = guard(returns=str)(inspect.markcoroutinefunction(build))
        return inspect.iscoroutinefunction(check), await check()
