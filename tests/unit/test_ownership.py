"""Ownership of awaitables, and the contracts of functions."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    Optional,
    Protocol,
    TypeVar,
)

import pydantic
import pytest

from coroguard import (
    CoroutineLeakError,
    Event,
    HealthReport,
    HealthReportError,
    guard,
    mode,
    subscribe,
)
from coroguard._guard import judge

if TYPE_CHECKING:
    from decimal import Decimal

pytestmark = pytest.mark.allow_leaks("*", reason="these tests leak on purpose")


async def twin() -> bool:
    return True


async def stream() -> Any:
    yield 1


@contextlib.asynccontextmanager
async def session() -> Any:
    yield 1


class Pending:
    """An awaitable of a library's, that can also be entered."""

    def __await__(self) -> Any:
        yield from ()


class Connection:
    """Owns its reader in an attribute that it does not declare."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader


@dataclasses.dataclass
class Pool:
    size: int

    def __post_init__(self) -> None:
        self._reader = asyncio.ensure_future(asyncio.sleep(0))


async def done() -> Any:
    task = asyncio.ensure_future(twin())
    await task
    return task


async def started() -> Any:
    coroutine = asyncio.sleep(0)
    coroutine.send(None)
    return coroutine


async def plain(value: Any) -> Any:
    return value


OTHERS: dict[str, Callable[[], Any]] = {
    "task": lambda: asyncio.ensure_future(twin()),
    "future": lambda: asyncio.get_running_loop().create_future(),
    "async generator": stream,
    "async context manager": session,
    "awaitable": Pending,
}


def outcome(made: Callable[[], Any], returns: Any, inside: Any = None) -> Any:
    """Guard a function that returns what is made, in strict mode, in a loop."""

    async def main() -> Any:
        value = made()
        held = value if inside is None else inside(value)
        with mode("strict"):
            return guard(returns=returns)(lambda: held)() is held

    return asyncio.run(main())


@pytest.mark.parametrize("inside", [None, lambda it: {"a": [it]}], ids=["it", "in"])
@pytest.mark.parametrize("kind", OTHERS)
def test_what_runs_by_itself_passes_under_any(kind: str, inside: Any) -> None:
    """Tasks, streams and other awaitables may be passed on under ``Any``."""
    assert outcome(OTHERS[kind], Any, inside)


@pytest.mark.parametrize("returns", [bool, dict, HealthReport, Pool], ids=str)
@pytest.mark.parametrize("kind", OTHERS)
def test_it_is_a_leak_where_a_plain_value_is_due(kind: str, returns: Any) -> None:
    """Where the contract refuses it, it is a leak and not only a wrong shape."""
    with pytest.raises(CoroutineLeakError):
        outcome(OTHERS[kind], returns)


@pytest.mark.parametrize(
    ("returns", "inside", "is_leak"),
    [
        (dict[str, int], lambda it: {"a": it}, True),
        (list[int], lambda it: [1, it], True),
        (HealthReport, lambda it: {"details": it}, True),
        (dict[str, Any], lambda it: {"a": it}, False),
        (dict, lambda it: {"a": it}, False),
        (Connection, Connection, False),
        (Any, Connection, False),
    ],
    ids=["item", "list", "report", "open item", "open", "owned", "owned under Any"],
)
def test_inside_a_value_the_contract_decides(
    returns: Any, inside: Any, is_leak: bool
) -> None:
    """A task inside a value is a leak exactly where the contract refuses it."""
    expected: Any = contextlib.nullcontext()
    if is_leak:
        expected = pytest.raises(CoroutineLeakError)
    with expected:
        assert outcome(OTHERS["task"], returns, inside)


@pytest.mark.parametrize("returns", [Any, Pool], ids=["Any", "its class"])
def test_an_object_owns_what_it_does_not_declare(returns: Any) -> None:
    """A record with a reader task in an undeclared attribute is right."""
    assert outcome(lambda: None, returns, lambda _: Pool(1))


@dataclasses.dataclass
class Declares:
    ok: Any

    def keep(self) -> Declares:
        self._pending = self.ok
        self.ok = True
        return self


@pytest.mark.parametrize("returns", [Any, Declares], ids=["Any", "its class"])
def test_a_declared_field_does_not_own_a_coroutine(returns: Any) -> None:
    """A coroutine is a leak in a field, and is kept in an undeclared attribute."""
    with pytest.raises(CoroutineLeakError):
        outcome(twin, returns, Declares)
    kept: list[Any] = []

    def keep(coroutine: Any) -> Declares:
        kept.append(coroutine)
        return Declares(coroutine).keep()

    assert outcome(twin, returns, keep)
    kept[0].close()


@pytest.mark.parametrize("make", [done, started], ids=["done task", "started"])
def test_what_is_done_or_begun_is_nobodys_leak(make: Any) -> None:
    """A done task is a value, and a coroutine that has started is somebody else's."""

    async def main() -> None:
        value = await make()
        with mode("strict"):
            assert await guard(returns=Any)(plain)(value) is value
            assert await guard(returns=Any)(plain)([value]) == [value]

    asyncio.run(main())


class Lazy:
    """A proxy that fails when it is loaded."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(f"loaded for {name}")

    __class__ = property(lambda self: self.load)  # type: ignore[assignment]
    __len__ = __iter__ = __getitem__ = __await__ = __aiter__ = lambda self: self.load


@pytest.mark.parametrize("returns", [Any, int, dict, HealthReport, Pool], ids=str)
def test_a_lazy_proxy_is_not_loaded(returns: Any) -> None:
    """A proxy passes every contract, and nothing asks what it stands for."""
    assert outcome(Lazy, returns)


def test_a_hostile_metaclass_is_not_run() -> None:
    """A class whose metaclass raises at every question is not asked."""

    class Hostile(type):
        def __getattribute__(cls, name: str) -> Any:
            raise RuntimeError(name)

    class Value(metaclass=Hostile):
        pass

    make = functools_partial(type.__call__, Value)
    assert outcome(make, Any)
    assert outcome(make, Any, lambda it: {"a": [it]})
    assert outcome(make, Value)


def functools_partial(*parts: Any) -> Any:
    return lambda: parts[0](*parts[1:])


# What a return annotation makes of a guard.


@guard
def number() -> int:
    return VALUE


@guard
def names() -> list[str]:
    return VALUE


@guard
def nothing() -> None:
    return VALUE


@guard
def optional() -> Optional[HealthReport]:  # noqa: UP045
    return VALUE


@guard
def counts() -> dict[str, int]:
    return VALUE


@guard
def unannotated():  # type: ignore[no-untyped-def]
    return VALUE


@guard
def mapping() -> Mapping[str, Any]:
    return VALUE


@guard
def later() -> Later:
    return VALUE


@guard
def unknown() -> Decimal:
    return VALUE


class Later:
    pass


VALUE: Any = None
NO_REPORT = {"healthy": "yes"}


@pytest.mark.parametrize(
    ("check", "right", "wrong", "expected"),
    [
        (number, 3, "3", "int"),
        (names, ["a"], ["a", 3], "list[str]"),
        (nothing, None, 3, "None"),
        (optional, None, NO_REPORT, "HealthReport | None"),
        (counts, {"a": 1}, {"a": "1"}, "dict[str, int]"),
        (unannotated, ..., NO_REPORT, "HealthReport"),
        (mapping, ..., NO_REPORT, "HealthReport"),
        (later, Later(), 3, "Later"),
    ],
    ids=lambda it: getattr(it, "__name__", None),
)
def test_the_annotation_is_the_contract(
    check: Any, right: Any, wrong: Any, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right value passes, and a wrong one raises with the annotation's name."""
    module = globals()
    with mode("strict"):
        if right is not ...:
            monkeypatch.setitem(module, "VALUE", right)
            assert check() is right
        monkeypatch.setitem(module, "VALUE", wrong)
        with pytest.raises(HealthReportError) as caught:
            check()
    assert caught.value.expected == expected


@dataclasses.dataclass
class Price:
    amount: Decimal


class Point(NamedTuple):
    amount: Decimal


class Unfinished(pydantic.BaseModel):
    amount: NotYet  # type: ignore[name-defined]  # noqa: F821


class HasAmount(Protocol):
    amount: Decimal


class Broken(pydantic.BaseModel):
    model_config = {"revalidate_instances": "always"}
    amount: int

    @pydantic.field_validator("amount")
    @classmethod
    def known(cls, value: int) -> int:
        raise LookupError(value)


UNJUDGED: dict[str, tuple[Any, Any]] = {
    "names for checkers": (Price, Price(1)),  # type: ignore[arg-type]
    "named tuple": (Point, Point(1)),  # type: ignore[arg-type]
    "unfinished model": (Unfinished, Unfinished.model_construct(amount=1)),
    "protocol": (HasAmount, Price(1)),  # type: ignore[arg-type]
    "validator": (Broken, Broken.model_construct(amount=1)),
}


@pytest.mark.parametrize("level", ["observe", "enforce", "strict"])
@pytest.mark.parametrize("kind", UNJUDGED)
def test_a_contract_that_cannot_be_checked_lets_values_pass(
    kind: str, level: Any
) -> None:
    """Neither an error of ours nor one of a contract replaces the user's value."""
    contract, value = UNJUDGED[kind]
    check = guard(returns=contract)(lambda: value)
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    with mode(level):
        assert check() is check() is value
    unsubscribe()
    assert {event.action for event in events} <= {"unjudged"}
    assert len(events) <= 1


def test_an_annotation_that_stays_unknown_is_reported_once() -> None:
    """A name that only type checkers import is one event with its reason."""
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    with mode("strict"):
        assert unknown() is unknown() is VALUE
    unsubscribe()
    (event,) = events
    assert (event.action, event.guarded) == ("unjudged", "unknown")
    assert "Decimal" in event.reason


def test_a_look_that_breaks_lets_the_value_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of coroguard's own never takes the place of the user's value."""

    def broken(*_: Any, **__: Any) -> Any:
        raise LookupError("of ours")

    monkeypatch.setattr(judge, "scan", broken)
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    value = [type("Lazy", (), {"__await__": broken})()]
    with mode("strict"):
        assert guard(returns=Any)(lambda: value)() is value
    unsubscribe()
    assert [event.reason for event in events] == ["LookupError: of ours"]


_T = TypeVar("_T")


class _Channel(Generic[_T]):
    """A queue, as those of trio and anyio are written."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()

    def put(self, item: _T) -> None:
        self._items.append(item)

    def get(self) -> _T:
        item: _T = self._items.popleft()
        return item

    def get_all(self) -> list[_T]:
        return [self.get() for _ in range(len(self._items))]


def _call(function: Callable[[], _T]) -> _T:
    return function()


@pytest.mark.parametrize("mode", ["observe", "enforce", "strict"])
@pytest.mark.parametrize("returns", [{}, {"returns": Any}])
def test_a_queue_that_passes_coroutines_on_hangs_its_receiver(
    mode: Any, returns: Any
) -> None:
    """What a function annotates as a type variable is whatever its caller put in."""
    events: list[Event] = []
    guarded = guard(**returns, mode=mode)
    unsubscribe = subscribe(events.append)
    channel = _Channel[Any]()
    one, two, three, four = (twin() for _ in range(4))
    for item in (one, (two, "holder"), {"a": [three]}):
        channel.put(item)
        guarded(_Channel.get)(channel)
    channel.put((four, []))
    assert len(guarded(_Channel.get_all)(channel)) == 1
    assert asyncio.run(guarded(_call)(twin)) is True
    for coroutine in (one, two, three, four):
        coroutine.close()
    unsubscribe()
    assert events == []


def test_a_bound_type_variable_lets_no_coroutine_pass() -> None:
    """Only one that stands for every type does."""
    text = TypeVar("text", bound=str)

    def echo(value: text) -> text:
        return value

    for returns in ({}, {"returns": Any}):
        with pytest.raises(CoroutineLeakError):
            guard(**returns)(echo)(twin())  # type: ignore[type-var]


async def _waits(awaitable: Any) -> None:
    await awaitable


def _closes_over(awaitable: Any) -> Any:
    async def run() -> Any:
        return await awaitable

    return run()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("made", [_waits, _closes_over])
def test_a_refused_coroutine_is_closed_with_what_only_it_holds(made: Any) -> None:
    """No warning follows about the coroutine that it was given."""
    unraisable: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", unraisable.append)
        with pytest.raises(CoroutineLeakError):
            guard(returns=Any)(lambda: made(made(twin())))()
    assert unraisable == []


@pytest.mark.parametrize("made", [_waits, _closes_over])
def test_a_coroutine_that_somebody_else_holds_is_not_closed(made: Any) -> None:
    """The coroutine that a refused one was given may still be awaited elsewhere."""
    kept = twin()
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(lambda: made(kept))()
    assert asyncio.run(kept) is True
