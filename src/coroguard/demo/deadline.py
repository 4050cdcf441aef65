"""Deadlines that hold even if the awaited work ignores cancellation."""

# Client time-outs do not hold when a link is black-holed: cancelling a connection
# attempt makes the client wait for the very peer that is gone. So the work runs in a
# task of its own, and the caller stops waiting for the task past the deadline.

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# The loop holds tasks weakly: without this set, an abandoned task could be collected
# half-way.
_abandoned: set[asyncio.Task[Any]] = set()


async def within(timeout_s: float, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, and stop waiting for it when its time is up.

    Args:
        timeout_s: Seconds to wait; zero or less gives the work one step only.
        work: The coroutine; it runs in a task of its own.

    Returns:
        What the coroutine returned.

    Raises:
        TimeoutError: It took longer. The task is cancelled and left to finish by
            itself, however long that takes; its result is discarded.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=max(timeout_s, 0))
    finally:
        # Also when the caller itself is cancelled, it does not wait.
        if not task.done():
            _abandon(task)
    if task in _abandoned:
        raise TimeoutError(f"no answer within {timeout_s:g} s")
    return task.result()


def abandoned() -> int:
    """Return how many abandoned tasks have not finished yet."""
    return len(_abandoned)


def _abandon(task: asyncio.Task[Any]) -> None:
    _abandoned.add(task)
    task.add_done_callback(_discard)
    task.cancel()


def _discard(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
