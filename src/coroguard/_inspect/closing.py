"""The closing of coroutines that a guard has refused."""

from __future__ import annotations

import sys
from inspect import GEN_CREATED, getgeneratorstate
from types import CoroutineType, GeneratorType
from typing import Any

from .awaitables import what_is


def close_refused(value: object) -> None:
    """Close a coroutine that never started and that no task holds.

    A started coroutine, a task or a future belongs to other code; closing a
    task's coroutine would break the task.
    """
    kind = type(value)
    if kind is CoroutineType:
        if what_is(value) and not _held_by_task(value):
            inner = _coroutines_in(value)
            value.close()  # type: ignore[attr-defined]
            while inner:
                if _references(inner) == _ALONE:
                    close_refused(inner[-1])
                inner.pop()
    elif kind is GeneratorType and getgeneratorstate(value) == GEN_CREATED:  # type: ignore[arg-type]
        value.close()  # type: ignore[attr-defined]


def _held_by_task(coroutine: object) -> bool:
    """Return whether a task of the running loop was made for this coroutine."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return False
    return any(task.get_coro() is coroutine for task in asyncio.all_tasks())


def _coroutines_in(coroutine: Any) -> list[Any]:
    """Return the coroutines that one holds which has not begun, as arguments or so."""
    held = coroutine.cr_frame.f_locals.values()
    return [it for it in held if type(it) is CoroutineType]


#: PyPy counts no references.
_refcount = getattr(sys, "getrefcount", lambda _: 0)


def _references(found: list[Any]) -> int:
    """Return how many references there are to the last object of a list."""
    one = found[-1]
    return _refcount(one)


async def _hold(held: object) -> None:
    """Hold an object without ever running."""


def _references_when_alone() -> int:
    """Return that number for what only a closed coroutine may hold, as 3.13 does."""
    outer = _hold(_hold(None))
    found = _coroutines_in(outer)
    outer.close()
    try:
        return _references(found)
    finally:
        found[-1].close()


_ALONE = _references_when_alone() if hasattr(sys, "getrefcount") else -1
