"""The event loop of async checks, for callers that are synchronous."""

# In a thread of its own, because a check that blocks its loop defeats every deadline
# that the same loop keeps. One loop serves all callers: connections of an async
# client belong to the loop in which they were opened.

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from .._runtime.threads import in_forked_child, original, start
from .checks import usage_error

T = TypeVar("T")

#: Seconds after the deadline in which a loop that is not blocked has answered.
GRACE_S = 0.25

_lock = threading.RLock()
_current: asyncio.AbstractEventLoop | None = None


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop.

    Raises:
        GuardUsageError: None of asyncio's runs here.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise usage_error(
            "acollect() runs in a loop of asyncio; from trio, call collect() in a "
            "thread: await trio.to_thread.run_sync(collect, checks)"
        ) from None


def run_outside(
    work: Callable[[], Coroutine[Any, Any, T]],
    within_s: float,
    otherwise: Callable[[asyncio.AbstractEventLoop], T],
) -> T:
    """Run a coroutine on the loop of the checks, in this context, and wait for it.

    Args:
        work: Makes the coroutine.
        within_s: Seconds after which the loop itself must be blocked.
        otherwise: Called then with the loop, which gets no more work, for what to
            return.
    """
    loop, future = _submit(work)
    try:
        return future.result(within_s + GRACE_S)
    except concurrent.futures.TimeoutError:
        found = otherwise(loop)
        _give_up(loop)
        return found
    finally:
        future.cancel()  # where the caller is interrupted, too


def _submit(
    work: Callable[[], Coroutine[Any, Any, T]],
) -> tuple[asyncio.AbstractEventLoop, concurrent.futures.Future[T]]:
    """Run a coroutine on the loop; on a new one where this thread is the old one's."""
    global _current
    with _lock:  # until the loop has the work, it must not be given up
        if _current is None or _current.is_closed() or _is_own(_current):
            # Not one that gevent has made, which belongs to the thread that makes it.
            loop = asyncio.SelectorEventLoop(original("selectors", "DefaultSelector")())
            start(Context(), lambda: _serve(loop), "coroguard health")
            _current = loop
        return _current, asyncio.run_coroutine_threadsafe(work(), _current)


def _is_own(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether this code runs in the loop, which cannot wait for itself."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _give_up(loop: asyncio.AbstractEventLoop) -> None:
    """Stop a loop once its tasks have ended."""
    global _current
    with _lock:
        if _current is loop:
            _current = None
    with contextlib.suppress(RuntimeError):  # closed already
        loop.call_soon_threadsafe(loop.stop)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        while tasks := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(tasks))
    finally:
        loop.close()


def _forget() -> None:
    """Start anew in a forked process, which has no such thread."""
    global _lock, _current
    _lock = threading.RLock()
    _current = None


in_forked_child(_forget)
