"""The ready queue of a loop, whose order is a schedule's choice."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Iterable
from enum import Enum
from itertools import islice
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

from .places import describe
from .policies import CALLBACK, Candidate

if TYPE_CHECKING:
    from .faults import Handle, Task
    from .schedule import Schedule

#: The most handles of the queue that are looked at for one choice.
_WINDOW = 64
#: The most steps of others before the step that is first, so that a run in which one
#: task waits actively for another one ends.
_PATIENCE = 200
_LAST_STEPS = 6


class _Kind(Enum):
    CALLBACK = 0
    START = 1
    YIELD = 2  # of `sleep(0)`
    WAKE = 3


class _Note(NamedTuple):
    """A handle in the queue.

    Args:
        kind: The kind of step.
        task: Its task; ``None`` for a plain callback.
        number: The number of the task; 0 for a plain callback.
        by: The number of the task that made it ready; 0 for anything else.
    """

    kind: _Kind
    task: Task | None
    number: int
    by: int


class Ready(deque["Handle"]):
    """A ready queue whose ``popleft`` chooses which task steps next.

    - Nothing overtakes a plain callback: asyncio documents ``call_soon`` as first in,
      first out, and its own transports rely on it.
    - A task that yields by ``sleep(0)`` does not overtake what it has itself started
      or woken: that is what the yield is for.

    Args:
        handles: What is ready already.
        loop: The loop, which runs in this thread.
        schedule: Makes the choices.
    """

    def __init__(
        self,
        handles: Iterable[Handle],
        loop: asyncio.AbstractEventLoop,
        schedule: Schedule,
    ) -> None:
        super().__init__(handles)
        self._loop = loop
        self._schedule = schedule
        self._thread = get_ident()
        self._numbers: dict[int, int] = {}
        self._notes = {id(handle): self._note(handle, None) for handle in self}
        self._passed: tuple[int, int] = (0, 0)
        self._ran_at: dict[int, float] = {}
        self._steps_left = schedule.limits.steps

    def append(self, handle: Handle) -> None:
        """Add a handle, and note which task or thread made it ready."""
        by = None
        if get_ident() == self._thread:
            by = asyncio.current_task(self._loop)
        else:
            self._schedule.was_woken = True
        self._notes[id(handle)] = self._note(handle, by)
        super().append(handle)

    def popleft(self) -> Handle:
        """Remove and return the step that the schedule chooses.

        Raises:
            StuckError: The run has more steps than its limit.
        """
        self._steps_left -= 1
        self._schedule.steps += 1
        if self._steps_left <= 0:
            self._raise_livelock()
        position = 0
        if len(self) > 1:
            candidates = self._candidates()
            if len(candidates) > 1:
                position = candidates[self._choose(candidates)].position
        handle, note = self._take(position)
        return self._with_fault(handle, note, note.task) if note.task else handle

    def restored(self) -> deque[Handle]:
        """Return the remaining handles, as a queue of asyncio's own."""
        return deque(self)

    def _choose(self, candidates: list[Candidate]) -> int:
        oldest = id(self[candidates[0].position])
        handle, times = self._passed
        times = times if handle == oldest else 0
        if times >= _PATIENCE:
            return 0
        index = self._schedule.choose(
            candidates, lambda index: self._describe(candidates[index].position)
        )
        self._passed = (oldest, times + 1 if index else 0)
        return index

    def _candidates(self) -> list[Candidate]:
        """Return the steps that may be next, in asyncio's order."""
        found: list[Candidate] = []
        waking: set[int] = set()
        for position, handle in enumerate(self._first()):
            note = self._notes.get(id(handle)) or self._note(handle, None)
            if handle._cancelled:
                continue
            if note.kind is _Kind.CALLBACK:
                found.append(Candidate(position, CALLBACK))
                break
            if not (note.kind is _Kind.YIELD and note.number in waking):
                found.append(Candidate(position, note.number))
            waking.add(note.by)
        return found

    def _first(self) -> list[Handle]:
        """Return the first handles; other threads may add some meanwhile."""
        while True:
            try:
                return list(islice(self, _WINDOW))
            except RuntimeError:  # changed while it was copied
                continue

    def _take(self, position: int) -> tuple[Handle, _Note]:
        if position:
            handle = self[position]
            del self[position]
        else:
            handle = super().popleft()
        note = self._notes.pop(id(handle), None)
        return handle, note or self._note(handle, None)

    def _with_fault(self, handle: Handle, note: _Note, task: Task) -> Handle:
        now = self._loop.time()
        waited_s = now - self._ran_at.get(note.number, now)
        self._ran_at[note.number] = now
        if note.kind is _Kind.START or handle._cancelled:
            return handle
        chosen = self._schedule.choose_fault(task, handle)
        if chosen is None:
            return handle
        name = describe(handle, task, note.number)
        point, index = chosen
        fault = self._schedule.faults[index]
        instead = fault.inject(self._loop, task, handle, waited_s)
        if instead is None:
            return handle
        self._schedule.add_fault(point, index, name)
        return instead

    def _note(self, handle: Handle, by: Task | None) -> _Note:
        kind, task = _owner(handle)
        if task is None:
            return _Note(kind, None, CALLBACK, CALLBACK)
        if kind is _Kind.START:  # its address may have been another one's
            self._numbers.pop(id(task), None)
        by_number = CALLBACK if by is None else self._number(by)
        return _Note(kind, task, self._number(task), by_number)

    def _number(self, task: Task) -> int:
        """Return the number of a task, in the order in which they became ready.

        By address: a reference would keep alive what the program has lost.
        """
        number = self._numbers.get(id(task))
        if number is None:
            self._schedule.tasks += 1
            number = self._numbers[id(task)] = self._schedule.tasks
        return number

    def _describe(self, position: int) -> str:
        handle = self[position]
        note = self._notes.get(id(handle)) or self._note(handle, None)
        return describe(handle, note.task, note.number)

    def _raise_livelock(self) -> None:
        # Closing the loop afterwards needs steps of its own.
        self._steps_left = self._schedule.limits.steps
        ready = [self._describe(at) for at in range(min(len(self), _LAST_STEPS))]
        raise self._schedule.stuck(
            f"the run did not end within {self._schedule.limits.steps:,} steps",
            ready="\n            ".join(dict.fromkeys(ready)),
            fix="make the loop of this task wait for what it polls, or allow more "
            "steps with max_steps=",
        )


def _owner(handle: Any) -> tuple[_Kind, Task | None]:
    """Return the kind of a handle, and the task that it steps."""
    callback = handle._callback
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return _Kind.CALLBACK, None
    name = getattr(callback, "__name__", "")
    if name.endswith("wakeup"):
        return _Kind.WAKE, task
    if type(callback).__name__ != "TaskStepMethWrapper" and not name.endswith("__step"):
        return _Kind.CALLBACK, None  # such as `call_soon(task.cancel)`
    if not inspect.iscoroutine(coroutine := task.get_coro()):
        return _Kind.YIELD, task
    started = inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED
    return _Kind.YIELD if started else _Kind.START, task
