"""Contracts that return annotations make."""

from __future__ import annotations

import asyncio
import collections
import enum
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import (
    IO,
    Annotated,
    Any,
    BinaryIO,
    Optional,
    Self,
    TextIO,
    TypedDict,
    TypeVar,
    TypeVarTuple,
    Union,
)

import pytest

from coroguard import Event, HealthReport, HealthReportError, guard, mode, subscribe

T = TypeVar("T")
K = TypeVar("K")
Many = TypeVarTuple("Many")
Tree = Union[int, list["Tree"]]  # type: ignore[misc]  # noqa: UP007
Later = TypeVar("Later", bound=Awaitable[int])


class Colour(enum.Enum):
    RED = 1


@pytest.fixture
def events() -> Iterator[list[Event]]:
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    with mode("strict"):
        yield seen
    unsubscribe()


def annotated(annotation: Any, value: Any) -> Callable[[], Any]:
    def check() -> Any:
        return value

    check.__annotations__ = {"return": annotation}
    return check


NO_REPORT = {
    "numbers as keys": dict[int, Any],
    "enums as keys": dict[Colour, object],
    "type variable": dict[str, T],
    "two type variables": Mapping[K, T],
    "own class": dict[str, Self],
    "unknown class": dict[str, "Missing"],  # type: ignore[name-defined]  # noqa: F821
    "counts": collections.Counter[str],
    "plain values": dict[str, int],
}


@pytest.mark.parametrize("annotation", NO_REPORT.values(), ids=NO_REPORT)
def test_a_mapping_that_has_no_room_for_a_report_is_no_report(
    annotation: Any, events: list[Event]
) -> None:
    """Keys or values of another kind show that something else is returned."""
    value = collections.Counter[Any]()
    assert guard(annotated(annotation, value))() is value
    assert [event.error for event in events if event.error] == []


@pytest.mark.parametrize(
    "annotation",
    [dict, dict[str, Any], Mapping[str, object], dict[Any, Any], "dict[str, Any]"],
    ids=str,
)
def test_a_mapping_that_has_room_for_a_report_is_one(annotation: Any) -> None:
    """Without a narrower annotation a mapping is a ``HealthReport``."""
    with mode("strict"), pytest.raises(HealthReportError) as caught:
        guard(annotated(annotation, {"healthy": "yes"}))()
    assert caught.value.expected == "HealthReport"


class Query:
    """A builder whose methods return itself, in every way to write that."""

    @guard
    def itself(self) -> Self:
        return self

    @guard
    def maybe(self) -> Self | None:
        return self

    @guard
    def all(self) -> list[Self]:
        return [self]

    @classmethod
    @guard
    def make(cls) -> Self:
        return cls()

    @guard
    async def loaded(self) -> Self:
        return self

    @guard
    def later(self) -> Awaitable[Self]:
        return self.loaded()


def test_self_is_right_whichever_class_it_is(events: list[Event]) -> None:
    """A guard does not know the class of ``Self``, and refuses no value for it."""
    query = Query.make().itself()
    assert query.maybe() is query
    assert query.all() == [query]
    assert asyncio.run(query.loaded()) is query
    assert asyncio.run(query.later()) is query
    assert events == []


@guard
def passed_on(awaitable: Later) -> Later:
    return awaitable


def test_what_is_awaited_is_held_to_the_inner_type_of_a_bound(
    events: list[Event],
) -> None:
    """A type variable that is bound to awaitables does not ask for one twice."""

    async def number() -> int:
        return 1

    async def main() -> int:
        return await passed_on(number())

    assert asyncio.run(main()) == 1
    assert events == []


class Row(TypedDict):
    """A row that a longer row can stand for."""

    number: int


class LongRow(Row):
    """A longer row."""

    name: str


class Temporary:
    """A file behind an object, as temporary files are."""

    def __init__(self, file: object) -> None:
        self.file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


RIGHT = {
    "unpacked tuple": (tuple[int, *tuple[str, ...]], (1, "a", "b")),
    "unpacked type variables": (tuple[*Many], ()),
    "unpacked part of a list": (list[tuple[int, *Many]], [(1,), (1, 2)]),
    "file behind an object": (IO[bytes], Temporary(io.BytesIO())),
    "binary file behind an object": (BinaryIO, Temporary(io.BytesIO())),
    "optional file": (TextIO | None, Temporary(io.StringIO())),
    "longer row": (Row, LongRow(number=1, name="a")),
    "rows": (list[Row], [Row(number=1)]),
    "optional row": (Row | None, Row(number=1)),
    "list of a later class": (list["Unknown"], [1]),  # type: ignore[name-defined]  # noqa: F821
    "optional later class": (Optional["Unknown"], 1),  # type: ignore[name-defined]  # noqa: F821
    "recursive type": (Tree, [1, [2]]),
}


@pytest.mark.parametrize(("annotation", "value"), RIGHT.values(), ids=RIGHT)
def test_a_right_value_is_no_event_where_a_library_misjudges_its_type(
    annotation: Any, value: Any, events: list[Event]
) -> None:
    """What pydantic and typeguard both misjudge, or do not know, passes silently."""
    assert guard(annotated(annotation, value))() is value
    assert events == []


KNOWN_INSIDE = {
    "optional": (Optional["LongRow"], LongRow(number=1, name="a"), 1),
    "list": (list["Temporary"], [Temporary(None)], [1]),
    "optional report": (Optional["HealthReport"], None, {"healthy": "yes"}),
    "metadata": (Annotated["Colour", "LongRow"], Colour.RED, 1),
}


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"), KNOWN_INSIDE.values(), ids=KNOWN_INSIDE
)
def test_a_name_inside_an_annotation_is_looked_up(
    annotation: Any, right: Any, wrong: Any, events: list[Event]
) -> None:
    """``Optional["Row"]`` is checked like ``"Optional[Row]"``."""
    assert guard(annotated(annotation, right))() is right
    assert events == []
    with pytest.raises(HealthReportError):
        guard(annotated(annotation, wrong))()


def test_a_name_inside_an_annotation_may_be_defined_later(
    events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method can name its own class, which is made after its guard."""

    def children(of: Any) -> Any:
        return of

    children.__annotations__ = {"return": list["Node"]}  # type: ignore[name-defined]  # noqa: F821
    guarded = guard(children)
    monkeypatch.setitem(children.__globals__, "Node", Temporary)
    assert guarded([Temporary(None)])
    assert events == []
    with pytest.raises(HealthReportError):
        guarded([1])


WRONG = {
    "unpacked tuple": (tuple[int, *tuple[str, ...]], [1]),
    "file": (IO[bytes], "a name"),
    "binary file": (BinaryIO, io.StringIO()),
    "row": (Row, {"number": "one"}),
    "short row": (Row, {"name": "a"}),
    "list of a later class": (list["Unknown"], {1}),  # type: ignore[name-defined]  # noqa: F821
}


@pytest.mark.parametrize(("annotation", "value"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_wrong_where_a_library_misjudges_its_type(
    annotation: Any, value: Any, events: list[Event]
) -> None:
    """Types that are misjudged in one way are still checked in the others."""
    with pytest.raises(HealthReportError):
        guard(annotated(annotation, value))()
    assert [event.action for event in events] == ["raised"]
