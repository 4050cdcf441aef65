"""Names and lines of tasks, for people."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..._leaks.leak import short
from ..._leaks.origins import is_library, place

if TYPE_CHECKING:
    import asyncio

_GIVEN_BY_ASYNCIO = re.compile(r"Task-\d+")
_DEEPEST = 100
_HERE = os.path.dirname(__file__)


def awaits(task: asyncio.Task[Any]) -> Iterator[Any]:
    """Yield the coroutines that a task is in, the outermost first."""
    coroutine: Any = task.get_coro()
    for _ in range(_DEEPEST):
        if not hasattr(coroutine, "__qualname__"):
            return
        yield coroutine
        coroutine = next(
            (
                inner
                for name in ("cr_await", "ag_await", "gi_yieldfrom")
                if (inner := getattr(coroutine, name, None)) is not None
            ),
            None,
        )


def describe(
    handle: asyncio.Handle, task: asyncio.Task[Any] | None, number: int
) -> str:
    """Return the name of a task, or of a callback, and the line where it goes on.

    Args:
        handle: What is ready.
        task: The task that it steps, if it does.
        number: The number of the task, for one that was given no name.
    """
    if task is not None:
        return where_of(task, number)
    callback: Any = handle._callback  # type: ignore[attr-defined]
    while isinstance(callback, functools.partial):
        callback = callback.func
    name = getattr(callback, "__qualname__", type(callback).__qualname__)
    return f"the callback {short(name)}"


def where_of(task: asyncio.Task[Any], number: int = 0) -> str:
    """Return the name of a task, and the line where it waits.

    The line is one of the program; where it has none, one of an installed package.
    """
    lines = [(short(it.__qualname__), *_line(it)) for it in awaits(task)]
    known = [(name, line, is_own) for name, line, is_own in lines if line]
    own = [it for it in known if it[2]] or known
    name = task.get_name()
    if _GIVEN_BY_ASYNCIO.fullmatch(name) and lines:
        name = (own or lines)[0][0]
        name = f"{name} #{number}" if number else name
    return f"{name} ({own[-1][1]})" if own else name


def _line(coroutine: Any) -> tuple[str, bool]:
    """Return the line of a coroutine, and whether it is of the program.

    It is empty for one of Python's own or of ours.
    """
    for prefix in ("cr", "ag", "gi"):
        frame = getattr(coroutine, f"{prefix}_frame", None)
        if frame is not None:
            file = frame.f_code.co_filename
            is_own = not is_library(file)
            if file.startswith(_HERE) or not (is_own or "-packages" in file):
                return "", False
            return place(file, frame.f_lineno), is_own
    return "", False
