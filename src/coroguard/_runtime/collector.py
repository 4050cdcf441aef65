"""Runs of the garbage collector, which may start at any point of any code."""

# While one runs in a thread, that thread may be in the middle of setting a context
# variable or may hold any lock. What has to wait is done by another thread.

from __future__ import annotations

import gc
import sys
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from .threads import allocate_lock, by_thread, get_ident, sleep, start_new_thread

#: Seconds that a collection waits for the work it postponed, so that an explicit
#: ``gc.collect()`` usually returns after it. No more, because the thread may hold a
#: lock that the postponed work needs.
_PATIENCE_S = 0.1

_MOST_TRIES, _PAUSE_S = 10_000, 0.001

#: The frame that is interrupted in each thread where the collector runs, by identity.
interruptions = by_thread(dict[int, int]())
_postponed: deque[Callable[[], object]] = deque()


def interrupted() -> int | None:
    """Return the identity of the frame that a collection of this thread interrupted.

    Returns:
        ``None`` where no collection runs in this thread; 0 where no frame did.
    """
    return interruptions.get(get_ident()) if interruptions else None


def postpone(work: Callable[[], object]) -> None:
    """Call ``work`` in another thread, once the collector has run in this one."""
    _postponed.append(work)


class _Cycle:
    """Garbage that only a collection frees."""

    __slots__ = ("__weakref__", "itself")

    def __init__(self) -> None:
        self.itself = self


def collect() -> None:
    """Collect garbage, and wait for the events of what was collected.

    ``gc.collect`` does nothing while another thread collects, which may have begun
    before the garbage was there. Inside a collection this returns at once.
    """
    if interrupted() is not None:
        return
    is_there = weakref.ref(_Cycle())
    for _ in range(_MOST_TRIES):
        gc.collect()
        if is_there() is None and not interruptions:
            return
        sleep(_PAUSE_S)


def watch_collections() -> None:
    """Notice collections from now on; repeated calls change nothing."""
    callbacks = getattr(gc, "callbacks", None)  # PyPy has none
    if callbacks is not None and _on_collection not in callbacks:
        callbacks.append(_on_collection)


def _on_collection(phase: str, info: dict[str, int]) -> None:  # noqa: ARG001
    if phase == "start":
        frame = sys._getframe(0).f_back  # pyright: ignore[reportPrivateUsage]
        interruptions[get_ident()] = 0 if frame is None else id(frame)
    else:
        if _postponed:
            _hand_over()
        interruptions.pop(get_ident(), None)


def _hand_over() -> None:
    """Run the postponed work in another thread, and wait a moment for it."""
    done = allocate_lock()
    done.acquire()
    try:
        start_new_thread(_do_postponed, (done,))
    except RuntimeError:  # the interpreter ends
        return
    done.acquire(timeout=_PATIENCE_S)


def _do_postponed(done: Any) -> None:
    try:
        while _postponed:
            _postponed.popleft()()
    except Exception:
        pass  # a subscriber's error was logged; nobody is here to hear another
    finally:
        done.release()
