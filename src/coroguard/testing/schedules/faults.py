"""Faults that a seed injects where a task waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from .places import awaits
from .policies import usage_error

Handle: TypeAlias = asyncio.Handle
Task: TypeAlias = "asyncio.Task[Any]"
#: Puts a fault in the place of a step, and returns what runs instead. The number is
#: for how many seconds the task has waited.
Effect: TypeAlias = (
    "Callable[[asyncio.AbstractEventLoop, Task, Handle, float], Handle | None]"
)

#: A stall of the machine is never longer than this.
_LONGEST_STALL_S = 0.02
_STALL_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that may happen where a task waits.

    Make one with `delays`, `cancellations` or `exceptions`.

    Args:
        at: A pattern, as for file names, for the name of a task or for the qualified
            name of a function that the task is in.
        rate: The probability, at each such await, that it happens.
        name: What happens, for messages.
    """

    at: str
    rate: float
    name: str
    _effect: Effect = field(repr=False)
    _needs_result: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        pattern: Any = self.at
        if type(pattern) is not str or not pattern:
            raise usage_error(f"at={pattern!r} is not a pattern of names")
        positive("rate", self.rate)
        if self.rate > 1:
            raise usage_error(f"rate={self.rate!r} is above 1")

    def fits(self, task: Task, handle: Handle) -> bool:
        """Return whether it can happen at this await."""
        if self._needs_result and not handle._args:
            return False  # `sleep(0)`, which waits for nothing that could fail
        if self is STALL:
            return bool(task.get_loop()._scheduled)  # type: ignore[attr-defined]
        if self.at == "*":
            return True
        names = [task.get_name(), *(it.__qualname__ for it in awaits(task))]
        return any(fnmatchcase(name, self.at) for name in names)

    def inject(
        self,
        loop: asyncio.AbstractEventLoop,
        task: Task,
        handle: Handle,
        waited_s: float,
    ) -> Handle | None:
        """Inject the fault, and return the handle to run, ``None`` if impossible."""
        return self._effect(loop, task, handle, waited_s)


def delays(seconds: float = 0.001, *, at: str = "*", rate: float = 0.05) -> Fault:
    """Return a fault that makes the awaited work of a task take longer.

    Args:
        seconds: How much longer.
        at: A pattern for the name of a task, or of a function that it is in.
        rate: How probable it is at each await.

    Raises:
        GuardUsageError: A value is out of its range.
    """
    positive("seconds", seconds)

    def delay(loop: Any, _task: Task, handle: Handle, _waited_s: float) -> Handle:
        return _held(loop, handle, loop.time() + seconds)

    return Fault(at, rate, f"a delay of {seconds} s", delay)


def cancellations(*, at: str, rate: float = 0.05) -> Fault:
    """Return a fault: a task is cancelled where it waits.

    Args:
        at: A pattern for the name of a task, or of a function that it is in.
        rate: How probable it is at each await.

    Raises:
        GuardUsageError: A value is out of its range.
    """

    def cancel(_loop: object, task: Task, handle: Handle, _waited_s: float) -> Handle:
        task.cancel("injected by coroguard.testing.schedules")
        return handle

    return Fault(at, rate, "a cancellation", cancel)


def exceptions(
    error: BaseException | type[BaseException], *, at: str, rate: float = 0.05
) -> Fault:
    """Return a fault that makes the awaited work of a task fail.

    It happens where the task waits for a result, so not at ``asyncio.sleep(0)``.

    Args:
        error: The exception, or its class.
        at: A pattern for the name of a task, or of a function that it is in.
        rate: How probable it is at each await.

    Raises:
        GuardUsageError: A value is out of its range, or the error is not one that a
            future can carry.
    """
    kind: type[Any] = error if isinstance(error, type) else type(error)
    if not issubclass(kind, BaseException):
        raise usage_error(f"{error!r} is not an exception")
    if issubclass(kind, StopIteration | asyncio.CancelledError):
        raise usage_error(f"{kind.__name__} cannot be the error of a future")

    def fail(loop: Any, _task: Task, handle: Any, _waited_s: float) -> Handle:
        (awaited,) = handle._args
        if awaited.done() and not awaited.cancelled():
            awaited.exception()  # it counts as retrieved
        failed = loop.create_future()
        failed.set_exception(error)
        handle._args = (failed,)
        return handle  # type: ignore[no-any-return]

    return Fault(at, rate, kind.__name__, fail, True)


def positive(name: str, value: object) -> None:
    """Refuse a value that is not a positive number.

    Raises:
        GuardUsageError: It is not, or it is infinite.
    """
    if not isinstance(value, float | int) or not 0 < value < float("inf"):
        raise usage_error(f"{name}={value!r} is not positive")


def _stall(loop: Any, _task: Task, handle: Handle, waited_s: float) -> Handle | None:
    """Run the next timer first, as on a machine that was busy until then.

    At most the wait is doubled: what has twice the time that it needs is in time.
    """
    timers = [timer for timer in loop._scheduled if not timer._cancelled]
    if timers:
        due = min(timer.when() for timer in timers)
        if due - loop.time() <= min(waited_s, _LONGEST_STALL_S):
            return _held(loop, handle, due)
    return None


STALL = Fault("*", _STALL_RATE, "a stall of the machine", _stall, True)


def _held(loop: Any, handle: Handle, until: float) -> Handle:
    """Put a step off, behind the timers of that time."""
    # Looked up when it is due: the loop may have a queue of its own again.
    loop.call_at(until + 1e-6, lambda: loop._ready.append(handle))
    return Handle(_nothing, (), loop)


def _nothing() -> None:
    """Run in the place of a step that is delayed."""
