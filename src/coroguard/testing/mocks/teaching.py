"""Values that a mock refuses because they have the wrong colour."""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType
from typing import Any
from unittest.mock import AsyncMock, NonCallableMock

from ..._inspect.awaitables import class_of, what_is
from ..._inspect.callables import is_async, name_of
from ..._inspect.closing import close_refused
from ..._inspect.colours import Colour, colour_of, is_surely_plain
from ..errors import usage_error

#: The class attribute by which mocks that keep their colours are known.
KEPT = "_cg_keeps_its_colours"
_COROUTINES = ("coroutine", "generator-based coroutine")
_CHECKED = (
    *(Colour.SYNC, Colour.ASYNC),
    *(Colour.ASYNC_ITERATOR, Colour.ASYNC_CONTEXT),
)


def refuse_return_value(
    original: object, colour: Colour | None, label: str, value: Any
) -> None:
    """Raise where a mock would return what no call of its original returns."""
    if colour not in _CHECKED:
        return
    what = what_is(value)
    if what in _COROUTINES or (what and is_surely_plain(original)):
        close_refused(value)
        raise usage_error(
            f"{label} is {colour}, and its return_value is a {what}; "
            f"write {label}.return_value = <the value itself>."
        )
    if _is_standard(value, AsyncMock):
        raise usage_error(
            f"the return_value of {label} is an AsyncMock, whose every method is "
            f"async; write {label}.return_value = mock_of(Class), or a MagicMock."
        )
    if colour is Colour.ASYNC_ITERATOR and not _is_iterable(value):
        raise usage_error(
            f"{label} is an async iterator, and its return_value is not iterable; "
            f"write {label}.return_value = [item, ...]."
        )


def refuse_side_effect(
    original: object, colour: Colour | None, label: str, value: Any
) -> None:
    """Raise if a side effect would give a call the wrong colour."""
    if isinstance(value, (list, tuple)):
        items: Iterable[Any] = value
        for item in items:
            if not isinstance(item, (type, BaseException)):
                refuse_return_value(original, colour, label, item)
    elif colour is Colour.ASYNC or colour not in _CHECKED or not callable(value):
        return
    elif _colour_of(value) is Colour.ASYNC:
        raise usage_error(
            f"{label} is {colour}, and its side_effect {_name(value)} is async; "
            f"write {label}.side_effect = <a sync function>, or "
            f"coroguard.testing.sync_twin({_name(value)})."
        )


def refuse_attribute(original: object, label: str, value: Any) -> None:
    """Raise where a callable is replaced by one of another colour."""
    colour = colour_of(original)
    if colour is None or colour not in _CHECKED or not callable(value):
        return
    other = _colour_of(value)
    if other in (None, Colour.EITHER, colour):
        return
    if other is Colour.SYNC:
        is_wrong = colour is Colour.ASYNC and _is_standard(value, NonCallableMock)
        is_wrong = is_wrong or is_surely_plain(value)
    else:
        is_wrong = (
            colour is not Colour.SYNC
            or other is Colour.ASYNC
            or is_surely_plain(original)
        )
    if is_wrong:
        raise usage_error(
            f"{label} is {colour}, and {_name(value)} is {other}; "
            f"write {label}.return_value = <the value itself>, "
            f"or assign {_like(colour)}."
        )


def refuse_result(colour: Colour | None, label: str, value: Any) -> Any:
    """Return a result, but raise where a side effect has made a coroutine."""
    what = what_is(value)
    if what in _COROUTINES and colour in _CHECKED:
        close_refused(value)
        raise usage_error(
            f"{label} is {colour}, and its side_effect gave a {what}; "
            f"write {label}.side_effect = <a function that returns the value itself>."
        )
    return value


def _colour_of(value: Any) -> Colour | None:
    """Return the colour of a callable; the standard mocks have that of their kind."""
    spec = getattr(value, "mock", None) if isinstance(value, FunctionType) else None
    if is_async(value) or _is_standard(spec, AsyncMock):  # create_autospec()
        return Colour.ASYNC
    return Colour.SYNC if _is_standard(value, NonCallableMock) else colour_of(value)


def _is_standard(value: Any, kind: type[NonCallableMock]) -> bool:
    """Return whether a value is a mock of the standard library's own class."""
    found = class_of(value)
    return issubclass(found, kind) and not hasattr(found, KEPT)


def _is_iterable(value: Any) -> bool:
    return hasattr(class_of(value), "__iter__") or hasattr(class_of(value), "__aiter__")


def _like(colour: Colour) -> str:
    if colour is Colour.SYNC:
        return "a sync function"
    return "an AsyncMock" if colour is Colour.ASYNC else f"an {colour}'s function"


def _name(value: Any) -> str:
    is_mock = issubclass(type(value), NonCallableMock)
    return f"an {type(value).__name__}" if is_mock else name_of(value)
