"""Loops of asyncio that run by a schedule."""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio.base_events import BaseEventLoop
from collections import deque
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .places import where_of
from .policies import usage_error
from .queue import Ready

if TYPE_CHECKING:
    from .schedule import Schedule

#: The file descriptor that every loop has, for calls from other threads.
_OWN_DESCRIPTORS = 1
_FOR_EVER = (
    "the run waits for ever: no task is ready, and no timer, socket or thread is left"
)
#: As a real selector rounds up: timers that are due almost together, are due together.
_GRANULARITY_S = 0.001
#: The time that a turn takes on a virtual clock, so that polling it ends.
_TURN_S = 0.00001
#: The attribute of a loop with the time of its virtual clock.
_CLOCK = "_coroguard_clock"
_MOST_NAMED = 6
#: The threads with a block of `scheduled`, once for each block.
_owners: list[int] = []


def is_scheduling() -> bool:
    """Return whether the loops of this thread obey a schedule."""
    return threading.get_ident() in _owners


@contextmanager
def scheduled(schedule: Schedule) -> Generator[None]:
    """Run every asyncio loop of this thread by a schedule, for the block.

    A loop of another thread is left alone, and so is one that is not asyncio's own.
    Of blocks inside each other, the inner one decides.
    """
    owner, original = threading.get_ident(), BaseEventLoop.run_forever
    before = frozenset(threading.enumerate())

    def run_forever(self: BaseEventLoop) -> None:
        is_attached = isinstance(getattr(self, "_ready", None), Ready)
        if threading.get_ident() != owner or is_attached:
            return original(self)
        with attached(self, schedule, before=before):
            return original(self)

    BaseEventLoop.run_forever = run_forever  # type: ignore[method-assign]
    _owners.append(owner)
    try:
        yield
    finally:
        _owners.remove(owner)
        BaseEventLoop.run_forever = original  # type: ignore[method-assign]


@contextmanager
def attached(
    loop: Any, schedule: Schedule, *, before: Collection[threading.Thread] = ()
) -> Generator[None]:
    """Run a loop by a schedule, for the block.

    Args:
        loop: A loop of asyncio that does not run yet.
        schedule: Makes its choices.
        before: The threads that are older than the run.

    Raises:
        GuardUsageError: The loop is not one of asyncio's, or works in another way.
    """
    refuse_foreign(loop)
    ready = Ready(loop._ready, loop, schedule)
    selector = loop._selector
    loop._ready = ready
    loop._selector = _Selector(selector, loop, schedule, before)
    schedule.loops += 1
    try:
        yield
    finally:
        loop._selector = selector
        if loop._ready is ready:
            loop._ready = ready.restored()


def refuse_foreign(loop: Any) -> None:
    """Refuse a loop whose steps cannot be ordered.

    Raises:
        GuardUsageError: It is not a loop of asyncio, or its internals are others than
            those of Python 3.11 to 3.15.
    """
    kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
    if not isinstance(loop, BaseEventLoop):
        raise usage_error(
            f"schedules cannot order the steps of {kind}, which is not a loop of "
            "asyncio; run this on asyncio's own, such as asyncio.SelectorEventLoop"
        )
    found = type(getattr(loop, "_ready", None))
    if found is not deque or not hasattr(loop, "_selector"):
        raise usage_error(
            f"schedules do not know the internals of {kind} on this Python: its ready "
            f"queue is a {found.__qualname__}; run this on a Python that is supported"
        )


class _Selector:
    """The selector of a loop, with an end to waits that nothing can end.

    Args:
        selector: The loop's own.
        loop: The loop.
        schedule: Has the limits, and the clock.
        before: The threads that are older than the run.
    """

    def __init__(
        self,
        selector: Any,
        loop: Any,
        schedule: Schedule,
        before: Collection[threading.Thread],
    ) -> None:
        self._selector = selector
        self._loop = loop
        self._schedule = schedule
        self._before = {*before, threading.current_thread()}
        self._ends_at = time.monotonic() + schedule.limits.timeout_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._selector, name)

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait for events, at most until the run has to end.

        Raises:
            StuckError: Nothing can end the wait, or the run takes too long.
        """
        if timeout is not None and timeout <= 0:
            return self._now()
        is_alone = self._is_alone()
        # A thread that has ended since the loop looked may have woken it.
        if is_alone and (found := self._selector.select(0)):
            return list(found)
        if timeout is not None:
            if is_alone and self._schedule.is_virtual:
                _advance(self._loop, timeout + _GRANULARITY_S)
                return self._now()
            return self._wait(min(timeout, self._left()))
        if is_alone and not self._may_be_woken():
            self._raise(_FOR_EVER)
        return self._wait(self._left(_FOR_EVER if is_alone else ""))

    def _now(self) -> list[Any]:
        return self._wait(0)

    def _wait(self, timeout: float) -> list[Any]:
        began = time.monotonic()
        found: list[Any] = self._selector.select(timeout)
        if self._schedule.is_virtual:
            waited_s = time.monotonic() - began if timeout else 0.0
            _advance(self._loop, waited_s + _TURN_S)
        return found

    def _left(self, headline: str = "") -> float:
        """Return the seconds that are left to the run."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            limit_s = self._schedule.limits.timeout_s
            self._raise(headline or f"the run did not end within {limit_s:g} s")
        return left

    def _may_be_woken(self) -> bool:
        """Return whether a thread that was there before may know the loop."""
        return self._schedule.limits.threads_wake and threading.active_count() > 1

    def _is_alone(self) -> bool:
        """Return whether nothing that began in this run can make something ready."""
        watched: Mapping[Any, Any] = self._selector.get_map() or {}
        return (
            len(watched) <= _OWN_DESCRIPTORS
            and self._before.issuperset(threading.enumerate())
            and not getattr(self._loop, "_signal_handlers", None)
        )

    def _raise(self, headline: str) -> None:
        self._ends_at = time.monotonic() + self._schedule.limits.timeout_s
        raise self._schedule.stuck(
            headline,
            waiting="\n            ".join(_waiting(self._loop)),
            fix="look for what should have ended this wait",
        )


def _waiting(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Describe the tasks that wait, each with the line where it does."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    return [where_of(task) for task in tasks[:_MOST_NAMED]]


def _advance(loop: Any, seconds: float) -> None:
    """Advance the virtual clock of a loop, which it keeps for good."""
    if _CLOCK not in vars(loop):
        setattr(loop, _CLOCK, loop.time())
        loop.time = lambda: getattr(loop, _CLOCK)
    setattr(loop, _CLOCK, getattr(loop, _CLOCK) + seconds)
