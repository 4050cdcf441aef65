"""Twins, mocks and subclasses in the place of a function."""

from __future__ import annotations

import gc
import types
from collections.abc import Callable
from contextlib import ExitStack
from types import MethodType
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, MagicMock

from ..._inspect.callables import is_async
from ..twins import sync_twin
from .recoloured import holder_of
from .swaps import keep_attribute

if TYPE_CHECKING:
    from .places import Place


def as_twin(place: Place, undo: ExitStack) -> None:
    """Set the twin."""
    place.put(place.twin, undo)


def as_mock(place: Place, undo: ExitStack) -> None:
    """Set a mock of the wrong kind that returns the original's results."""
    original = place.found.__func__ if holder_of(place.found) else place.found

    def teach(_: object) -> MagicMock | AsyncMock:
        mock: MagicMock | AsyncMock
        if is_async(original):
            mock = MagicMock(name=place.label, side_effect=sync_twin(original))
        else:
            mock = AsyncMock(name=place.label, side_effect=original)
        if is_bound_by_class(place):
            mock.__get__ = _bound
        return mock

    put_made(place, teach, undo)


def override(place: Place, undo: ExitStack) -> None:
    """Bind a class's name to a subclass that overrides the method."""
    base = place.owner
    own = {
        place.name: place.twin,
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
    }
    undo.callback(gc.collect)  # a class is in cycles: its base would still list it
    outer: Any = place.module
    for part in place.path[:-2]:
        outer = getattr(outer, part)
    keep_attribute(outer, place.path[-2], undo)
    subclass = types.new_class(
        base.__name__, (base,), exec_body=lambda it: it.update(own)
    )
    setattr(outer, place.path[-2], subclass)


def put_made(place: Place, make: Callable[[Any], Any], undo: ExitStack) -> None:
    """Set an object made from the twin; static and class methods keep their kind."""
    holder = holder_of(place.twin)
    made = make(place.twin.__func__ if holder else place.twin)
    place.put(holder(made) if holder else made, undo)


def is_bound_by_class(place: Place) -> bool:
    """Return whether the class that has the name passes the instance on."""
    return place.is_method and holder_of(place.found) is None


def _bound(mock: Any, instance: object, _: object = None) -> Any:
    return mock if instance is None else MethodType(mock, instance)
