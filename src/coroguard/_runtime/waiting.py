"""Tasks that await another task or future, and the guards that they await it in."""

# A task that waits for a future is bound to its done-callbacks in every CPython;
# from 3.14 on asyncio keeps the same graph once more. A task group is
# different: it hears of its tasks from the start, but it only awaits them when its
# block is left, so that a guard inside the block has nothing to do with them.

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any

from .._inspect.callables import MARK, QUIET_MARK

_FARTHEST = 64
_LIBRARIES = frozenset({"asyncio", "concurrent", "anyio"})
#: The functions in which task groups of asyncio, anyio and trio await their tasks.
_GROUP_EXITS = frozenset({"__aexit__", "_nested_child_finished"})


@dataclass(slots=True, eq=False, repr=False)
class Waiters:
    """The tasks that await a future, near and far.

    Args:
        frames: The innermost guard's frame in each task that awaits it, by its
            identity, with its coroutine.
        ends: Futures that nothing awaits, where no guard was met on the way;
            ``None`` stands for a task that is going to await it.
    """

    frames: dict[int, Any] = field(default_factory=dict[int, Any])
    ends: list[Any] = field(default_factory=list[Any])

    @classmethod
    def of(cls, future: Any) -> Waiters:
        """Follow a future to the guards and the ends."""
        found = cls()
        waiting, seen = [(future, None)], set[int]()
        while waiting:
            one, group = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            if one is not future:
                coroutine, is_awaiting = _innermost_guard(one, group)
                if not is_awaiting or len(seen) > _FARTHEST:
                    found.ends.append(None)
                    continue
                if coroutine is not None:
                    found.frames[id(coroutine.cr_frame)] = coroutine
                    continue
            further = list(_waiting_for(one))
            waiting += further
            if not further:
                found.ends.append(one)
        return found

    def only_frame(self) -> tuple[int | None, Any]:
        """Return the one guard's frame that all of them await in, and its coroutine."""
        if self.ends or len(self.frames) != 1:
            return None, None
        return next(iter(self.frames.items()))


def coroutine_of(task: Any) -> Any:
    """Return the coroutine of a task of asyncio or trio, else ``None``."""
    kind = type(task)
    if hasattr(kind, "get_coro") and hasattr(kind, "add_done_callback"):
        return task.get_coro()
    # trio shows its classes under the names of its public modules.
    is_trio = hasattr(kind, "coro") and str(kind.__module__).startswith("trio.")
    return task.coro if is_trio else None


def hooks_of(frame: FrameType) -> Any:
    """Return the hooks of the guard whose wrapper this frame runs."""
    held = frame.f_locals
    return held[MARK] if MARK in held else held[QUIET_MARK]


def _innermost_guard(task: Any, group: Any) -> tuple[Any, bool]:
    """Find the innermost guard in which a task awaits.

    Args:
        task: A task or a future.
        group: The task group in whose exit it has to be, if any.

    Returns:
        The guard's coroutine, or ``None``, and whether the task is awaiting.
    """
    found, is_awaiting = None, group is None
    for coroutine, frame in _suspended(coroutine_of(task)):
        if (
            group is not None
            and frame.f_code.co_name in _GROUP_EXITS
            and frame.f_locals.get("self") is group
        ):
            return found, True
        if MARK in frame.f_code.co_freevars and hooks_of(frame).takes_drops():
            found = coroutine
    return found, is_awaiting


def _suspended(coroutine: Any) -> Iterator[tuple[Any, FrameType]]:
    """Yield what a coroutine awaits, from outside in, each with its frame."""
    while coroutine is not None:
        kind = type(coroutine)
        for prefix in ("cr", "gi", "ag"):
            frame = getattr(coroutine, f"{prefix}_frame", None)
            if frame is not None:
                yield coroutine, frame
                inner = "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await"
                coroutine = getattr(coroutine, inner, None)
                break
        else:
            # The iterators behind ``await`` and ``async for`` hold what they drive.
            if kind.__module__ != "builtins":
                return
            held = [
                it
                for it in gc.get_referents(coroutine)
                if hasattr(it, "cr_frame") or hasattr(it, "ag_frame")
            ]
            coroutine = held[0] if len(held) == 1 else None


def _waiting_for(future: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the tasks and futures that wait for one, each with its task group."""
    nursery = getattr(future, "parent_nursery", None)
    if nursery is not None:
        yield nursery.parent_task, nursery
    callbacks = getattr(future, "_callbacks", None) or getattr(
        future, "_done_callbacks", None
    )
    # asyncio keeps (callback, context), concurrent.futures the callback alone.
    for entry in list(callbacks or ()):
        callback = entry[0] if isinstance(entry, tuple) else entry  # pyright: ignore[reportUnnecessaryIsInstance]
        for held in _held_by(callback):
            parent = _parent_of(held)
            if parent is not None:
                yield parent, held
            elif held is not future and hasattr(type(held), "add_done_callback"):
                yield held, None
            else:
                # The queue of ``as_completed()``.
                for getter in getattr(held, "_getters", ()):
                    yield getter, None


def _held_by(callback: Any) -> Iterator[Any]:
    """Yield what a callback of a library is bound to or closes over."""
    while isinstance(callback, partial):
        yield from callback.args
        callback = callback.func
    owner = getattr(callback, "__self__", None)
    if owner is not None:
        if coroutine_of(owner) is not None or _is_library(type(owner)):
            yield owner
            yield getattr(owner, "_done", None)
        return
    if _is_library(callback):
        for cell in getattr(callback, "__closure__", None) or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not filled yet
                continue


def _is_library(value: Any) -> bool:
    return (getattr(value, "__module__", None) or "").partition(".")[0] in _LIBRARIES


def _parent_of(group: Any) -> Any:
    """Return the task in which a task group of asyncio or anyio was opened."""
    if not _is_library(type(group)):
        return None
    scope = getattr(group, "cancel_scope", None)
    return getattr(group, "_parent_task", None) or getattr(scope, "_host_task", None)
