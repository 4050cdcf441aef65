"""Which guarded call does the code that runs here belong to, by its frames?"""

# Sync guards leave no mark in the context, which would cost more than the rest
# of the guard; their frame on the stack is the mark. Async guards and watches
# are found by the context, so the search ends where an async guard's frame, or
# an event loop that only borrows the stack, comes first.

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .._inspect.guarded import ASYNC_MARK, MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = [
    "Place",
    "is_awaited_on_this_loop",
    "place_of",
    "scope_waiting_for_thread",
]

_FARTHEST = 64
_Tuple: Any = tuple  # typed Any: an entry may hold anything


class Place(NamedTuple):
    """Where on the stack something happened.

    Args:
        frame_id: Identity of the innermost sync guard's frame that it
            belongs to, or ``None``.
        in_task: Whether a task lies between that frame and the place.
    """

    frame_id: int | None
    in_task: bool


def place_of(frame: FrameType | None) -> Place:
    """Find the innermost sync guard that the code in ``frame`` belongs to."""
    task = _current_task()
    root = getattr(_coroutine(task), "cr_frame", None)
    in_task = False
    while frame is not None:
        names = frame.f_code.co_freevars
        if MARK in names:
            return Place(id(frame), in_task)
        if ASYNC_MARK in names or (in_task and _borrows(frame, task)):
            return Place(None, in_task)
        in_task = in_task or frame is root
        frame = frame.f_back
    return Place(None, in_task)


def scope_waiting_for_thread(frame: FrameType | None) -> Any:
    """Return the scope of the async guard that waits for this pool thread.

    ``run_in_executor`` hands no context on, but the callbacks of the future
    that the thread computes lead to the task that awaits it.
    """
    while frame is not None:
        if frame.f_code.co_name == "run":
            module = frame.f_globals.get("__name__")
            if module == "concurrent.futures.thread":
                item = frame.f_locals.get("self")
                return _scope_waiting_for(getattr(item, "future", None))
        frame = frame.f_back
    return None


def _borrows(frame: FrameType, task: Any) -> bool:
    """Say whether a loop runs here for another task than this one's family."""
    if frame.f_code.co_name != "run_until_complete":
        return False
    main = frame.f_locals.get("future")
    caller = frame.f_back.f_back if frame.f_back else None
    if (
        caller is not None
        and caller.f_code.co_name == "run"
        and caller.f_globals.get("__name__") == "asyncio.runners"
    ):
        # asyncio.run() makes a loop of its own, whose tasks are all its family.
        return False
    return all(waiter is not main for waiter in _waiting_for(task))


def _current_task() -> Any:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def is_awaited_on_this_loop(scope: Any) -> bool:
    """Say whether a task of the loop that runs here is inside this scope's guard."""
    return any(
        found is scope
        for task in sys.modules["asyncio"].all_tasks()
        for found in _scopes_of(task)
    )


def _scope_waiting_for(future: Any) -> Any:
    for waiter in _waiting_for(future):
        scopes = list(_scopes_of(waiter))
        if scopes:
            return scopes[-1]
    return None


def _scopes_of(task: Any) -> Iterator[Any]:
    """Yield the scopes of the async guards that a task is in, outermost first."""
    coroutine = _coroutine(task)
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and ASYNC_MARK in frame.f_code.co_freevars:
            yield frame.f_locals.get("_cg_scope")
        coroutine = getattr(coroutine, "cr_await", None)


def _waiting_for(future: Any) -> Iterator[Any]:
    """Yield a future, and the tasks and futures that its callbacks lead to."""
    waiting, seen = [future], set[int]()
    while waiting and len(seen) < _FARTHEST:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        callbacks = getattr(one, "_callbacks", None) or getattr(
            one, "_done_callbacks", None
        )
        # asyncio keeps (callback, context), concurrent.futures the callback alone.
        entries: list[Any] = list(callbacks or ())
        for entry in entries:
            callback = entry[0] if isinstance(entry, _Tuple) else entry
            waiting.extend(filter(_is_future, _held_by(callback)))


def _held_by(callback: Any) -> Iterator[Any]:
    """Yield what a callback is bound to or closes over."""
    while isinstance(callback, partial):
        yield from callback.args
        callback = callback.func
    yield getattr(callback, "__self__", None)
    for cell in getattr(callback, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _is_future(value: object) -> bool:
    return hasattr(type(value), "add_done_callback")


def _coroutine(task: object) -> Any:
    get_coro = getattr(type(task), "get_coro", None)
    return get_coro(task) if get_coro else None
