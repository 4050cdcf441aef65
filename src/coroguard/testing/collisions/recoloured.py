"""Objects with their calls in the other colour."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

from ..._guard.supported import refuse
from ..._inspect.callables import PARTIALS, is_async, unwrap
from ..twins import async_twin, sync_twin

# Typed Any, because their generic types lack the type of the function inside.
_HOLDERS: tuple[Any, ...] = (staticmethod, classmethod)


def recoloured(found: Any) -> Any:
    """Return the twin of a function, in a static or class method like its own.

    Raises:
        GuardUsageError: It cannot be called, or has no other colour.
    """
    holder = holder_of(found)
    if holder is not None:
        return holder(recoloured(found.__func__))
    refuse(found, "collide")
    return sync_twin(found) if is_async(found) else async_twin(found)


def recoloured_object(found: Any) -> Any:
    """Return the twin of a callable, or an object whose methods are twins.

    Raises:
        GuardUsageError: It is neither: a class, a number, a string.
    """
    is_object = not callable(found) and type(found).__module__ != "builtins"
    is_held = is_object and not isinstance(found, (property, *_HOLDERS))
    return _OtherColour(found) if is_held else recoloured(found)


def holder_of(found: object) -> Any:
    """Return ``staticmethod`` or ``classmethod`` if one holds the function."""
    return next((kind for kind in _HOLDERS if isinstance(found, kind)), None)


class _OtherColour:
    """A proxy of an object, with the methods in the other colour."""

    def __init__(self, original: Any) -> None:
        self.__dict__["_original"] = original

    # The original's, so that ``isinstance`` sees no difference.
    __class__: Any = property(lambda self: self.__dict__["_original"].__class__)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__dict__["_original"], name)
        if name.startswith("__") or not _has_twin(found):
            return found
        return recoloured(found)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_original"], name, value)


def _has_twin(found: Any) -> bool:
    inner = getattr(unwrap(found, through=PARTIALS), "__func__", found)
    makes_values = inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(
        inner
    )
    return isinstance(inner, FunctionType) and not makes_values
