"""Classes whose metaclass defines what Python uses to hash, compare and ask them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from coroguard import CoroutineLeakError, HealthReport, guard
from coroguard._inspect.values import Walk
from coroguard._leaks.scan import scan

_MODES = ("observe", "enforce", "strict")
_ran: list[str] = []


def _noted(name: str) -> Any:
    def method(*_: object) -> Any:
        _ran.append(name)
        raise KeyboardInterrupt(name)

    return method


class _Unhashable(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other

    __hash__ = None  # type: ignore[assignment]


class _Talking(type):
    __eq__ = __hash__ = __instancecheck__ = __subclasscheck__ = _noted("asked")
    __subclasses__ = __len__ = __bool__ = __call__ = _noted("asked")

    def __getattribute__(cls, name: str) -> Any:
        return _noted(name)()


def _made(metaclass: Any) -> Any:
    """Return an instance of a class that pytest does not find."""

    class Plain(metaclass=metaclass):
        pass

    return object.__new__(Plain)


_METACLASSES = [_Unhashable, _Talking]


@dataclass
class _Record(metaclass=_Unhashable):
    inside: object = None


async def _work() -> None:
    pass


@pytest.fixture(autouse=True)
def _nothing_ran() -> Any:
    _ran.clear()
    yield
    assert _ran == []


_RESULTS = [
    pytest.param(lambda make: make, id="itself"),
    pytest.param(lambda make: [make, 1], id="in a list"),
    pytest.param(lambda make: (make,), id="in a tuple"),
    pytest.param(lambda make: {"key": make}, id="in a dict"),
    pytest.param(lambda make: {make: 1}, id="as a key"),
    pytest.param(lambda make: frozenset((make,)), id="in a set"),
    pytest.param(lambda make: {"a": [{"error": make}]}, id="below an error"),
    pytest.param(lambda make: type(make), id="its class"),
    pytest.param(lambda make: _Record(make), id="in a dataclass"),
]


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("metaclass", _METACLASSES)
@pytest.mark.parametrize("wrap", _RESULTS)
@pytest.mark.parametrize("annotation", [Any, object])
def test_a_result_with_an_unhashable_class_is_returned(
    mode: Any, metaclass: Any, wrap: Any, annotation: Any
) -> None:
    """A class whose metaclass has ``__eq__`` and no ``__hash__`` runs no code."""
    result = wrap(_made(metaclass))

    @guard(returns=annotation, mode=mode)
    def get() -> Any:
        return result

    @guard(returns=annotation, mode=mode)
    async def fetch() -> Any:
        return result

    assert get() is result
    with pytest.raises(StopIteration) as done:
        fetch().send(None)
    assert done.value.value is result


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("contract", [bool, int, str, list[int], HealthReport])
def test_a_wrong_result_with_an_unhashable_class_raises_no_type_error(
    mode: Any, contract: Any
) -> None:
    """An instance that is not of the contract is reported as any other is."""

    wrong = _made(_Unhashable)

    @guard(returns=contract, mode=mode)
    def get() -> Any:
        return wrong

    if mode != "strict":
        assert get() is wrong
    else:
        with pytest.raises(ValueError, match="get"):
            get()


def test_an_unhashable_class_as_an_annotation_is_no_error() -> None:
    """A class whose metaclass has no hash can be a return annotation."""
    result = _made(_Unhashable)

    def get() -> Any:
        return result

    get.__annotations__["return"] = type(result)
    assert guard(mode="observe")(get)() is result


def test_a_leak_beside_an_unhashable_class_is_found() -> None:
    """The scan goes on past such an object."""
    leaked = _work()
    held = {
        "first": [_made(_Unhashable), _made(_Talking)],
        "record": _Record({"x": leaked}),
    }

    @guard(returns=Any)
    def get() -> Any:
        return held

    with pytest.raises(CoroutineLeakError, match=r"record\.inside\.x"):
        get()


def test_the_walk_asks_no_metaclass() -> None:
    """Walking reads types by identity and through ``type`` alone."""
    things = [
        _made(_Talking),
        _made(_Unhashable),
        {_made(_Talking): _made(_Unhashable)},
        _Record(1),
    ]
    assert next(iter(Walk(things))) is things[0]
    assert scan(things).found == []
