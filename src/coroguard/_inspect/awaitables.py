"""Is this object awaitable, and what is it? Asked of types, never of user code."""

from __future__ import annotations

import sys
from inspect import (
    CO_ITERABLE_COROUTINE,
    CORO_CREATED,
    GEN_CREATED,
    getcoroutinestate,
    getgeneratorstate,
    iscoroutine,
    isgenerator,
)
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

__all__ = ["ATOMS", "close_refused", "is_builtin", "static_type_attribute", "what_is"]

#: Types whose instances can neither be awaited nor hold anything that can.
ATOMS = frozenset({type(None), bool, int, float, complex, bytes})

_MISSING = object()
#: What belongs to being awaited.
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement
_PROTOCOL = frozenset({"send", "throw", "close", "cr_await", "cr_running"})


def what_is(value: object) -> str | None:
    """Return what kind of un-awaited object ``value`` is, or ``None``.

    Returns:
        ``coroutine``, ``generator-based coroutine``, ``async generator``,
        ``task``, ``future``, ``async context manager`` (of
        ``contextlib.asynccontextmanager``), ``awaitable`` for any other object
        that can do nothing but be awaited, and ``None`` for all else. Classes
        and async functions that nobody called are values like any other, and
        so are clients and lazy queries that can also be awaited.
    """
    kind = type(value)
    if kind in ATOMS or kind is str or kind is dict or kind is list:
        return None
    if kind is CoroutineType:
        return "coroutine"
    if kind is AsyncGeneratorType:
        return "async generator"
    if kind is GeneratorType:
        flags = value.gi_code.co_flags  # type: ignore[attr-defined]
        return "generator-based coroutine" if flags & CO_ITERABLE_COROUTINE else None
    if static_type_attribute(kind, "__await__") is not None:
        return _named(kind)
    if kind.__name__ == "_AsyncGeneratorContextManager":
        return "async context manager"
    # Cython's coroutines are not types.CoroutineType and say so only by shape.
    if kind.__name__ == "async_generator" and static_type_attribute(kind, "__anext__"):
        return "async generator"
    return None


def is_builtin(value: object) -> bool:
    """Say whether an awaitable is the interpreter's or asyncio's own kind."""
    return what_is(value) not in (None, "awaitable", "async context manager")


def static_type_attribute(kind: type, name: str) -> Any:
    """Look an attribute up on a type without running a metaclass's code."""
    for base in type.__dict__["__mro__"].__get__(kind):
        found = base.__dict__.get(name, _MISSING)
        if found is not _MISSING:
            return found
    return None


def close_refused(value: object) -> None:
    """Close a coroutine that never started and that no task holds.

    A started coroutine, a task or a future is somebody else's; closing a
    task's coroutine would break the task.
    """
    if iscoroutine(value):
        if getcoroutinestate(value) == CORO_CREATED and not _held_by_task(value):
            value.close()
    elif isgenerator(value) and getgeneratorstate(value) == GEN_CREATED:
        value.close()


def _named(kind: type) -> str | None:
    """Tell tasks and futures from other awaitables."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        if issubclass(kind, asyncio.Task):
            return "task"
        if issubclass(kind, asyncio.Future):
            return "future"
    if kind.__name__ == "coroutine":  # Cython's
        return "coroutine"
    return "awaitable" if _only_awaits(kind) else None


def _only_awaits(kind: type) -> bool:
    """Say whether a class offers nothing public but to be awaited."""
    return all(
        name.startswith("_") or name in _PROTOCOL or not callable(member)
        for base in type.__dict__["__mro__"].__get__(kind)
        if base.__flags__ & _HEAP_TYPE
        for name, member in base.__dict__.items()
    )


def _held_by_task(coroutine: object) -> bool:
    """Say whether a task of the running loop was made for this coroutine."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return False
    return any(task.get_coro() is coroutine for task in tasks)
