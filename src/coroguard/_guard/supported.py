"""Callables that can be guarded, and refusals of the others."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType
from typing import Any, Final

from .._inspect.callables import CLAIMED, METHODS, unwrap
from .._leaks.errors import GuardUsageError

usage_error = functools.partial(GuardUsageError, code="CG201")
#: Web frameworks, whose routes are refused too.
FRAMEWORKS: Final = frozenset(
    (
        *("aiohttp", "django", "fastapi", "flask", "litestar", "ninja", "quart"),
        *("sanic", "starlette"),
    )
)


def refuse(target: Any, by: str) -> None:
    """Raise where a guard would be lost or would change the kind of its target.

    Args:
        target: The object to guard.
        by: ``guard`` or ``watch``, for the message.

    Raises:
        GuardUsageError: A class, a property, a generator function, or an
            object that cannot be called.
    """
    named = inner = unwrap(target, through=(*CLAIMED, *METHODS))
    if isinstance(inner, type):
        advice = f"a class; put @{by} on its methods"
    elif isinstance(inner, property):
        advice = f"a property; put @{by} under @property, on the getter"
    elif isinstance(inner, functools.cached_property):
        advice = f"a cached property; put @{by} under it, on the function"
    elif _makes(inspect.isasyncgenfunction, inner):
        advice = f"an async generator function; put @{by} on the function that reads it"
    elif _makes(inspect.isgeneratorfunction, inner):
        advice = f"a generator function; put @{by} on the function that reads it"
    elif not callable(inner):
        advice = f"not callable; put @{by} on a function"
    else:
        return
    label = getattr(named, "__qualname__", None) or repr(type(named).__name__)
    raise usage_error(f"{by} cannot guard {label}: it is {advice}.")


def _makes(asks: Any, target: object) -> bool:
    """Return whether a predicate holds for a callable or its class's ``__call__``."""
    if asks(target):
        return True
    if isinstance(target, (FunctionType, MethodType)):
        return False
    return asks(getattr(type(target), "__call__", None)) is True  # noqa: B004
