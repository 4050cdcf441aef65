"""Objects whose own code must never be run by a guard."""

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, computed_field

from .registry import probe, program


class Touched(BaseException):
    """Raised by any code of a value: no `except Exception` can hide it."""


def touch(*args, **options):
    raise Touched


QUIET = (
    "__eq__", "__ne__", "__lt__", "__gt__", "__bool__", "__len__", "__iter__",
    "__next__", "__contains__", "__getitem__", "__hash__", "__str__", "__repr__",
    "__format__", "__call__", "__get__", "__index__", "__int__", "__enter__",
    "__reversed__", "__length_hint__", "__copy__", "__deepcopy__", "__reduce_ex__",
    "__instancecheck__", "__subclasscheck__", "__dir__", "__sizeof__",
)  # fmt: skip

Untouchable = type("Untouchable", (), dict.fromkeys(QUIET, touch))
WithProperties = type(
    "WithProperties",
    (),
    {
        name: property(touch)
        for name in ("__dict__", "__class__", "value", "_fields", "__await__name")
    },
)


class Evasive:
    """Answers every question about itself with a crash, as unbound proxies do."""

    def __getattribute__(self, name):
        raise Touched(name)


class Proxy:
    """A werkzeug-like proxy outside its context."""

    @property
    def __class__(self):
        raise RuntimeError("working outside of request context")

    def __getattr__(self, name):
        raise RuntimeError("working outside of request context")


class Chatty:
    """Has every attribute one asks its instance for, as a dynamic client has."""

    def __getattr__(self, name):
        return probe


class Lazy(Mapping, Sequence):
    """A mapping that would query a database to be read."""

    __getitem__ = __len__ = __iter__ = touch


class TouchyDict(dict):
    keys = values = items = __iter__ = __len__ = __getitem__ = get = touch
    __eq__ = __contains__ = __bool__ = __repr__ = touch
    __hash__ = None


class TouchyList(list):
    __iter__ = __len__ = __getitem__ = __eq__ = __bool__ = __repr__ = touch
    __hash__ = None


class TouchyTuple(tuple):
    __slots__ = ()
    __iter__ = __len__ = __getitem__ = __eq__ = __bool__ = __repr__ = touch
    __hash__ = None


class TouchySet(set):
    __iter__ = __len__ = __eq__ = __bool__ = __repr__ = __contains__ = touch
    __hash__ = None


class TouchyText(str):
    __slots__ = ()
    __eq__ = __len__ = __iter__ = __contains__ = __bool__ = __getitem__ = touch
    __hash__ = lower = startswith = __repr__ = __str__ = touch


class Array:
    """As numpy's: comparisons give arrays, and their truth is an error."""

    def __eq__(self, other):
        return Array()

    def __bool__(self):
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None


class Meta(type):
    """A metaclass that minds being looked at."""

    def __getattribute__(cls, name):
        if name in ("__await__", "__anext__", "__aenter__", "__aiter__"):
            raise Touched(name)
        return super().__getattribute__(name)

    def __instancecheck__(cls, instance):
        raise Touched

    def __subclasscheck__(cls, subclass):
        raise Touched


class Guarded(metaclass=Meta):
    pass


@dataclass(eq=False, repr=False)
class Record:
    name: str = "redis"
    odd: Any = field(default_factory=Untouchable)

    @property
    def connected(self):
        raise Touched

    __eq__ = __len__ = __iter__ = touch
    __hash__ = None


class Model(BaseModel):
    name: str = "redis"
    odd: Any = None

    @computed_field
    @property
    def connected(self) -> bool:
        raise Touched

    def __iter__(self):
        raise Touched

    def __eq__(self, other):
        raise Touched

    def __getattr__(self, name):
        raise AttributeError(name)


ODDITIES = {
    "untouchable": Untouchable,
    "properties": WithProperties,
    "evasive": Evasive,
    "proxy": Proxy,
    "chatty": Chatty,
    "lazy mapping": Lazy,
    "dict": lambda: TouchyDict(a=1),
    "list": lambda: TouchyList([1]),
    "tuple": lambda: TouchyTuple((1,)),
    "set": lambda: TouchySet([1]),
    "text": lambda: TouchyText("the coroutine 'x' awaits"),
    "array": Array,
    "metaclass": Guarded,
    "dataclass": Record,
    "model": Model,
    "model with oddity": lambda: Model(odd=Untouchable()),
    "user dict": lambda: collections.UserDict({"odd": Untouchable()}),
}


def _shapes(odd):
    """Put the odd object everywhere a scan may meet it."""
    yield odd
    yield [odd]
    yield {"odd": odd}
    yield ("redis", odd)
    yield collections.deque([odd])
    yield Record(odd=odd)
    yield {"component_details": {"redis": [odd]}}


def _enter(name, make):
    def odd_object(guard):
        @guard(returns=Any)
        def check(value):
            return value

        return [check(value) is value for value in _shapes(make())]

    odd_object.__name__ = f"odd_object_{name.replace(' ', '_')}"
    program(odd_object)


for _name, _make in ODDITIES.items():
    _enter(_name, _make)


@program
def odd_object_as_argument(guard):
    @guard(returns=int)
    def check(*values, **named):
        return len(values) + len(named)

    return check(Untouchable(), Evasive(), odd=Untouchable())


@program
def odd_owner_of_a_method(guard):
    class Service(Untouchable):
        @guard(returns=str)
        def check(self):
            return "healthy"

        @guard(returns=str)
        async def acheck(self):
            return "healthy"

    service = Service()
    acheck = service.acheck()
    acheck.close()
    return service.check()
