"""What can be guarded, by which name, and of which colour is it?"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType
from typing import Any

__all__ = ["behind_partials", "is_async", "name_of"]


def is_async(target: object) -> bool:
    """Say whether calling ``target`` makes a coroutine.

    ``__wrapped__`` is not asked: a sync wrapper around an async function is
    sync, and what it returns is judged as such.
    """
    target = behind_partials(target)
    if inspect.iscoroutinefunction(target):
        return True
    if isinstance(target, (FunctionType, MethodType)):
        return False
    # Not callable(): what the class would run is asked for its colour.
    return inspect.iscoroutinefunction(getattr(type(target), "__call__", None))  # noqa: B004


def name_of(target: Any) -> str:
    """Return the qualified name of a callable, or of its class."""
    target = behind_partials(target)
    return getattr(target, "__qualname__", None) or type(target).__qualname__


def behind_partials(target: Any) -> Any:
    """Return the callable that a partial, or a partial of one, calls in the end."""
    while isinstance(target, functools.partial):
        target = target.func
    return target
