"""The search inside a value finds what is planted, and leaves all else alone."""

from __future__ import annotations

import dataclasses
import itertools
import sys
import threading
import types
import weakref
from collections import ChainMap, OrderedDict, UserDict, UserList, deque, namedtuple
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest

from coroguard._inspect import contents, values
from coroguard._inspect.awaitables import what_is
from coroguard._leaks.scan import is_quiet, scan
from coroguard._runtime.collector import collect


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


@pytest.mark.skipif(contents.FROZENDICT is None, reason="frozendict is new in 3.15")
def test_a_frozendict_is_a_mapping() -> None:
    """A ``frozendict`` is read like a dict."""
    assert contents.FROZENDICT is not None
    value = [contents.FROZENDICT(held=Plant())]
    assert [found.path for found in scan(value).found] == ["$[0].held"]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="t-strings are new in 3.14")
def test_a_template_string_is_entered() -> None:
    """What a template string will format is found, as it is read there."""
    value = {"text": eval('t"{plant} up"', {"plant": Plant()})}
    path = "$.text.interpolations[0].value"
    assert [found.path for found in scan(value).found] == [path]


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError("the class was asked")


class Unfriendly(metaclass=Meta):
    __slots__ = ()


def test_a_class_is_not_asked_by_its_metaclass() -> None:
    """A value whose metaclass raises at every question is passed by."""
    value = {"stranger": type.__call__(Unfriendly), "plant": Plant()}
    assert [found.path for found in scan(value).found] == ["$.plant"]


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
    """A plant 100,000 levels down is found, and its path shows both ends."""
    plant = Plant()
    value: Any = plant
    for _ in range(depth):
        value = [value]
    (found,) = scan(value).found
    path = f"${'[0]' * 50}<{depth - 100} more>{'[0]' * 50}"
    assert (found.value, found.path) == (plant, path)


def test_a_million_nodes_are_read() -> None:
    """A plant behind a million nodes is found within the default limit."""
    value = {"items": [[]] * 500_000 + [{}] * 500_000 + [Plant()]}
    assert [found.path for found in scan(value).found] == ["$.items[1000000]"]


def test_a_cut_scan_is_marked() -> None:
    """A limit that ends the scan early is reported."""
    result = scan({"items": list(range(100))}, limit=50)
    assert result.complete is False


class Hostile:
    """Every hook of the data model raises."""

    def _no(self, *args: Any) -> Any:
        raise AssertionError("user code was called")

    __len__ = __bool__ = __iter__ = __eq__ = __hash__ = __getattr__ = _no  # type: ignore[assignment]
    __repr__ = __str__ = __contains__ = __getitem__ = _no  # type: ignore[assignment]
    __getattribute__ = _no
    __class__ = value = property(_no)  # type: ignore[assignment]


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
    """A field annotated as a task is a promise, not a leak."""
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


class Number(int):
    """A subclass, which may have attributes."""


class Failure(NamedTuple):
    error: Any
    other: Any


@dataclasses.dataclass(slots=True)
class Failed:
    error: Any


class Answers(dict[Any, Any]):
    """A dict with attributes."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args)
        vars(self).update(attributes)


ERROR = "'coroutine' object is not iterable"
CYCLE: list[Any] = ["text"]
CYCLE.append({"again": CYCLE})
QUIET = [
    *(None, 1.5, "text", ERROR, Number(1), bytearray(b"x"), Hostile(), Plant),
    [1, 2, 3],
    {"a": 1, "b": "text", "c": True, "d": None, "e": 2.5},
    {1: [{"a": ({"b"}, frozenset([b"awaited"]))}]},
    *([ERROR], {"message": ERROR}, {"error": "refused"}, {"error": None}),
    *(Record(1), Failed("no answer"), Failure(None, [Hostile()]), CYCLE),
    *({"a": Hostile()}, [Hostile(), Hostile()], HostileDict({"a": [Record(2)]})),
    *([(it for it in "text")], Answers({1: "text"}, kept=[1])),
]
PLANTED = [
    *(Plant(), [1, Plant()], {"a": {"b": Plant()}}, {Plant(): 1}, {(Plant(),): 1}),
    *(Record([Plant()]), Failed(Plant()), Failure(1, Plant()), [CYCLE, {Plant()}]),
    *(HostileDict({"a": Plant()}), {"error": ERROR}, {"error": {"of": [ERROR]}}),
    *(Record({"reason": ERROR}), Failed(ERROR), [Failure(ERROR, 1)]),
    [1, 2, *[None] * 1_000, "text", Plant()],
    *(Answers(kept=[Plant()]), Answers({Plant(): 1}), Answers(error=ERROR)),
]


@pytest.mark.parametrize("number", range(len(QUIET)))
def test_a_value_without_a_leak_needs_no_scan(number: int) -> None:
    """What holds no awaitable and no error of one is quiet, and runs no code."""
    assert is_quiet(QUIET[number])


@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_a_value_with_a_leak_is_left_to_the_scan(number: int) -> None:
    """An awaitable, or the text of a leak in an error field, is not quiet."""
    assert not is_quiet(PLANTED[number])


def test_a_class_that_gains_an_await_is_known_by_its_new_instances() -> None:
    """What is known of a class that died is not believed of the next one."""
    for number in range(50):
        kind = type("Made", (), {"__await__": Plant.__await__} if number % 2 else {})
        assert is_quiet([kind()]) is (number % 2 == 0)
        del kind


def test_texts_count_below_the_names_of_errors() -> None:
    """The text of a leak is data, except where it is stored as an error."""
    text = "'coroutine' object has no attribute 'get'"
    value = {"messages": [text], "db": {"error": text, "detail": [{"msg": text}]}}
    paths = [leak.path for leak in scan(value).symptoms]
    assert paths == ["$.db.error", "$.db.detail[0].msg"]
    assert len(scan({"error": text, "id": 1}).symptoms) == 1
    assert len(scan(value, quoted=True).symptoms) == 3


@dataclasses.dataclass
class Connection:
    url: str
    loose: Any = None
    pending: list[int] | None = None


def test_what_a_class_declares_is_marked() -> None:
    """A found object is declared if each attribute on its path is a field."""
    connection = Connection("a", loose=Plant(), pending=[Plant()])  # type: ignore[list-item]
    connection._reader = Plant()  # type: ignore[attr-defined]
    found = scan([connection, Plant()]).found
    assert [(it.path, it.declared) for it in found] == [
        ("$[0].loose", True),
        ("$[0].pending[0]", True),
        ("$[0]._reader", False),
        ("$[1]", True),
    ]


def test_a_container_changed_meanwhile_is_copied_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two disturbed copies do no harm; after three, the scan is incomplete."""
    disturbed = iter([True, True, False, True, True, True])

    def read(node: list[object]) -> list[object]:
        if next(disturbed):
            raise RuntimeError("dictionary changed size during iteration")
        return list(enumerate(node))

    monkeypatch.setattr(values, "opened", lambda node, kind: contents._copy(read, node))
    plant = Plant()
    assert [scan(deque([plant]))[::3] for _ in range(2)] == [
        ([("awaitable", plant, "$[0]", True)], True),
        ([], False),
    ]


def test_a_changing_value_can_be_scanned() -> None:
    """Threads that change the value during scans make none of them fail."""
    value: dict[int, Any] = {}
    stop = threading.Event()

    def change() -> None:
        for i in itertools.count():
            if stop.is_set():
                break
            value[i % 997] = {i}
            value.pop((i * 7) % 997, None)

    threads = [threading.Thread(target=change) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        results = [scan(value).found for _ in range(20)]
        quiet = [is_quiet(value) in (True, False) for _ in range(20)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert (results, all(quiet)) == ([[]] * 20, True)


def test_a_class_is_not_kept_by_what_is_known_of_it() -> None:
    """A class that was scanned dies as it would without, and its name is free."""

    def scanned() -> weakref.ref[type]:
        class Record:
            value = 1

        assert scan([Record()]).found == []
        return weakref.ref(Record)

    kind = scanned()
    collect()
    assert kind() is None
