"""Contracts that return annotations make."""

from __future__ import annotations

import asyncio
import collections
import enum
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Self, TypeVar

import pytest

from coroguard import Event, HealthReportError, guard, mode, subscribe

T = TypeVar("T")
K = TypeVar("K")
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
