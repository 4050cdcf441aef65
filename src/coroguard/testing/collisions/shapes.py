"""In which shape does the other colour take a function's place?"""

from __future__ import annotations

import functools
import gc
import types
from types import MethodType
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, MagicMock

from ..._inspect.callables import is_async
from ..twins import sync_twin
from .recoloured import holder_of
from .swaps import keep_attribute

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from .places import Place

__all__ = ["as_lambda", "as_lossy_wrapper", "as_mock", "as_partial", "as_twin"]
__all__ += ["override"]


def as_twin(place: Place, undo: ExitStack) -> None:
    """Set the twin."""
    place.put(place.twin, undo)


def as_partial(place: Place, undo: ExitStack) -> None:
    """Set a ``functools.partial`` of the twin, or a ``partialmethod``."""
    # Typed Any: a partial is no method, so a class needs its own kind.
    partial: Any = functools.partialmethod if _binds(place) else functools.partial
    _put_made(place, partial, undo)


def as_lambda(place: Place, undo: ExitStack) -> None:
    """Set a ``lambda`` that calls the twin."""

    def calling(twin: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: twin(*args, **kwargs)

    _put_made(place, calling, undo)


def as_lossy_wrapper(place: Place, undo: ExitStack) -> None:
    """Set a sync wrapper with the twin's name, as many decorators make."""

    def decorate(twin: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(twin)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return twin(*args, **kwargs)

        return wrapper

    _put_made(place, decorate, undo)


def as_mock(place: Place, undo: ExitStack) -> None:
    """Set a mock of the wrong kind that gives the original's results."""
    original = place.found.__func__ if holder_of(place.found) else place.found

    def teach(_: object) -> MagicMock | AsyncMock:
        mock: MagicMock | AsyncMock
        if is_async(original):
            mock = MagicMock(name=place.label, side_effect=sync_twin(original))
        else:
            mock = AsyncMock(name=place.label, side_effect=original)
        if _binds(place):
            mock.__get__ = _bound
        return mock

    _put_made(place, teach, undo)


def override(place: Place, undo: ExitStack) -> None:
    """Let a subclass that overrides the method take the name of its class."""
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


def _put_made(place: Place, make: Callable[[Any], Any], undo: ExitStack) -> None:
    """Set what is made of the twin; static and class methods stay what they are."""
    holder = holder_of(place.twin)
    made = make(place.twin.__func__ if holder else place.twin)
    place.put(holder(made) if holder else made, undo)


def _binds(place: Place) -> bool:
    """Say whether an instance is handed on by the class that holds the name."""
    return place.is_method and holder_of(place.found) is None


def _bound(mock: Any, instance: object, _: object = None) -> Any:
    return mock if instance is None else MethodType(mock, instance)
