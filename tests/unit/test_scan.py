"""Does the scan find what is planted anywhere, and leave everything else alone?"""

from __future__ import annotations

import dataclasses
import types
from collections import ChainMap, OrderedDict, UserDict, UserList, deque, namedtuple
from typing import Any

import attrs
import pydantic
import pytest

from coroguard._inspect.awaitables import what_is
from coroguard._leaks.scan import scan


class Plant:
    """An awaitable that never warns."""

    def __await__(self) -> Any:
        yield


@dataclasses.dataclass
class Record:
    held: Any


@dataclasses.dataclass(slots=True)
class Slotted:
    held: Any


@attrs.define
class Attrs:
    held: Any


class Open(pydantic.BaseModel, extra="allow", arbitrary_types_allowed=True):
    held: Any = None
    _private: Any = pydantic.PrivateAttr(default=None)


Pair = namedtuple("Pair", "first held")  # noqa: PYI024


def private(plant: Plant) -> Open:
    model = Open()
    model._private = plant
    return model


PLACES = {
    "dict": (lambda p: {"held": p}, "$.held"),
    "odd key": (lambda p: {"a b": p}, "$['a b']"),
    "keyword": (lambda p: {"class": p}, "$['class']"),
    "letter that Python reads as another": (lambda p: {"ª": p}, "$['ª']"),
    "letter beyond ASCII": (lambda p: {"größe": p}, "$.größe"),
    "number key": (lambda p: {3: p}, "$[3]"),
    "dict key": (lambda p: {p: 1}, "$<key>"),
    "list": (lambda p: [0, p], "$[1]"),
    "tuple": (lambda p: (p,), "$[0]"),
    "set": (lambda p: {p}, "$<item>"),
    "frozenset": (lambda p: frozenset({p}), "$<item>"),
    "deque": (lambda p: deque([p]), "$[0]"),
    "named tuple": (lambda p: Pair(1, p), "$.held"),
    "ordered dict": (lambda p: OrderedDict(held=p), "$.held"),
    "mapping proxy": (lambda p: types.MappingProxyType({"held": p}), "$.held"),
    "user dict": (lambda p: UserDict(held=p), "$.held"),
    "user list": (lambda p: UserList([p]), "$[0]"),
    "chain map": (lambda p: ChainMap({}, {"held": p}), "$.held"),
    "namespace": (lambda p: types.SimpleNamespace(held=p), "$.held"),
    "dataclass": (lambda p: Record(p), "$.held"),
    "slotted dataclass": (lambda p: Slotted(p), "$.held"),
    "attrs": (lambda p: Attrs(p), "$.held"),
    "model field": (lambda p: Open(held=p), "$.held"),
    "model extra": (lambda p: Open(more=p), "$.more"),
    "model private": (private, "$._private"),
    "deep": (lambda p: {"a": [Record({"b": (p,)})]}, "$.a[0].held.b[0]"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_plant_is_found_with_its_path(place: str) -> None:
    """An awaitable in any container is found, and its path leads there."""
    plant = Plant()
    make, path = PLACES[place]
    actual = [(found.value, found.path) for found in scan(make(plant)).found]
    assert actual == [(plant, path)]


def test_the_value_itself_is_not_judged() -> None:
    """A scan looks inside only."""
    assert scan(Plant()).found == []


def test_cycles_end() -> None:
    """A value that holds itself is read once."""
    value: dict[str, Any] = {"list": []}
    value["list"] += [value, value]
    assert scan(value).nodes == 4


@pytest.mark.parametrize("depth", [100_000])
def test_depth_is_no_limit(depth: int) -> None:
    """A plant 100,000 levels down is found."""
    plant = Plant()
    value: Any = plant
    for _ in range(depth):
        value = [value]
    (found,) = scan(value).found
    assert (found.value, len(found.path)) == (plant, 1 + 3 * depth)


def test_a_million_nodes_are_read() -> None:
    """A plant behind a million nodes is found within the default limit."""
    value = {"items": [[]] * 500_000 + [{}] * 500_000 + [Plant()]}
    assert [found.path for found in scan(value).found] == ["$.items[1000000]"]


def test_a_cut_scan_says_so() -> None:
    """A limit that ends the scan early is told."""
    result = scan({"items": list(range(100))}, limit=50)
    assert result.complete is False


class Hostile:
    """Every hook of the data model raises."""

    def _no(self, *args: Any) -> Any:
        raise AssertionError("user code was called")

    __len__ = __bool__ = __iter__ = __eq__ = __hash__ = __getattr__ = _no  # type: ignore[assignment]
    __repr__ = __str__ = __contains__ = __getitem__ = _no  # type: ignore[assignment]
    value = property(_no)


class HostileDict(dict[str, Any]):
    items = values = keys = __iter__ = __getitem__ = __len__ = Hostile._no  # type: ignore[assignment]


def test_no_code_of_the_value_runs() -> None:
    """Strangers, and subclasses of containers, are read without their own code."""
    plant = Plant()
    value = {"stranger": Hostile(), "dict": HostileDict(held=plant)}
    assert [found.path for found in scan(value).found] == ["$.dict.held"]


@dataclasses.dataclass
class Worker:
    job: asyncio.Task[int] | None  # type: ignore[name-defined]  # noqa: F821
    other: Any = None


def test_a_field_annotated_as_a_task_may_hold_one() -> None:
    """A dataclass that says it holds a task is a promise, not a leak."""
    assert [f.path for f in scan(Worker(Plant(), Plant())).found] == ["$.other"]  # type: ignore[arg-type]


async def a_coroutine() -> None: ...


@pytest.mark.parametrize(
    "value",
    [a_coroutine, Plant, object(), type, len, {"a": 1}, "text", 1.5, None],
    ids=[
        "async function",
        "class",
        "object",
        "type",
        "len",
        "dict",
        "text",
        "float",
        "none",
    ],
)
def test_what_was_not_called_is_no_leak(value: object) -> None:
    """Async functions, classes and plain objects are values like any other."""
    assert what_is(value) is None
