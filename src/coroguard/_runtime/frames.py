"""The guarded call that running code belongs to, found by frames."""

# A guard leaves no mark in the context, which would cost more than the rest of it.
# Its frame is its mark: on the stack, or in the task that awaits what runs here.

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from opcode import opmap
from types import FrameType
from typing import Any

from .._inspect.callables import MARK
from .threads import get_ident, sleep
from .waiting import Waiters, coroutine_of, hooks_of

_DELETE = opmap["DELETE_FAST"]
_LONGEST_HANDOVER_S = 0.25
_STEP_S = 0.0005
_STEPS_AFTER = 4
_HANDOVER_FRAMES = 12


@dataclass(slots=True, eq=False, repr=False)
class Place:
    """A place in the running program.

    Args:
        frame_id: Identity of the innermost guard's frame, or ``None``.
        coroutine: The coroutine of that frame, if it is suspended in another task.
        below: Whether that guard runs the event loop in which it happened.
        work_item: What a thread of a pool is working on.
    """

    frame_id: int | None = None
    coroutine: Any = None
    below: bool = False
    work_item: Any = None


def place_of(frame: FrameType | None, until: int | None = None) -> Place:
    """Find the innermost guard that the code in ``frame`` belongs to.

    Args:
        frame: The innermost frame to look at.
        until: Identity of a frame where the search ends.
    """
    place = Place()
    loop = _HiddenLoop(frame) if frame is not None else None
    stray: list[Any] | None = None  # what was started by an unknown guard of a loop
    while frame is not None and id(frame) != until:
        if stray is not None:
            if _runs(frame, stray):
                stray, place.below = None, True
        elif MARK in frame.f_code.co_freevars and not lets_go(frame):
            if loop is not None and not loop.is_placed:
                break  # the guard may be on either side of it
            if hooks_of(frame).takes_drops():
                place.frame_id = id(frame)
                break
        else:
            started = _started_by_loop(frame, loop, place)
            if started is not None:
                waiters = Waiters.of(started[0])
                if waiters.frames:
                    place.frame_id, place.coroutine = waiters.only_frame()
                    break
                stray = [it for it in waiters.ends if it is not None]
        frame = frame.f_back
    return place


def lets_go(frame: FrameType) -> bool:
    """Return whether a guard's wrapper lets go of the arguments of its call.

    The caller made what is dropped then, and the call has been judged.
    """
    return frame.f_code.co_code[frame.f_lasti] == _DELETE


def _started_by_loop(
    frame: FrameType, loop: _HiddenLoop | None, place: Place
) -> tuple[Any] | None:
    """Return what a loop or a pool runs in this frame: a task, a future or ``None``."""
    name = frame.f_code.co_name
    if name == "_run" and _module(frame) == "asyncio.events":
        callback = getattr(frame.f_locals["self"], "_callback", None)
        owner = getattr(callback, "__self__", None)
        return (owner if coroutine_of(owner) is not None else None,)
    if name == "run" and _module(frame) == "concurrent.futures.thread":
        item = frame.f_locals.get("self")
        future = getattr(item, "future", None)
        if future is not None:
            place.work_item = item
            _let_it_be_awaited(item)
            return (future,)
    if name == "unrolled_run" and _module(frame) == "trio._core._run":
        return (_trio_task(),)
    if loop is not None and loop.starts(frame):
        return (loop.task,)
    return None


def _let_it_be_awaited(item: Any) -> None:
    """Wait while the task that hands a job to a pool is still about to await it.

    Starting a thread lets it run before ``run_in_executor`` has gone on.
    """
    ends = time.monotonic() + _LONGEST_HANDOVER_S
    more = _STEPS_AFTER
    while more and time.monotonic() < ends:
        if not _is_handed_over(item):
            future = item.future
            if all(end is None or end is future for end in Waiters.of(future).ends):
                return
            more -= 1  # nothing awaits the task's own future yet, and may never
        sleep(_STEP_S)


def _is_handed_over(item: Any) -> bool:
    """Return whether ``run_in_executor`` runs in another thread for this job."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False  # no frame of a running thread can be read
    task = getattr(item, "task", None)  # since 3.14
    function = task[0] if task else getattr(item, "fn", None)
    tops = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
    return any(
        frame.f_code.co_name == "run_in_executor"
        and _module(frame) == "asyncio.base_events"
        and frame.f_locals.get("func") is function
        for thread, top in tops.items()
        if thread != get_ident()
        for frame in islice(_stack(top), _HANDOVER_FRAMES)
    )


def _runs(frame: FrameType, stray: list[Any]) -> bool:
    """Return whether this frame runs a loop for the sake of one of these tasks."""
    name = frame.f_code.co_name
    if name == "run":
        # These two make a loop of their own, so that all its tasks are theirs.
        return _module(frame) in ("asyncio.runners", "trio._core._run") and (
            "self" not in frame.f_locals
        )
    if name == "run_until_complete":
        return any(it is one for it in frame.f_locals.values() for one in stray)
    return False


class _HiddenLoop:
    """A loop without Python frames on the stack, such as uvloop's.

    Args:
        frame: The innermost frame of the stack.
    """

    def __init__(self, frame: FrameType) -> None:
        self.task: Any = None
        self._root: FrameType | None = None
        self.is_placed = True
        asyncio = sys.modules.get("asyncio")
        running = asyncio and asyncio._get_running_loop()
        if running is None or isinstance(running, asyncio.BaseEventLoop):  # type: ignore[union-attr]
            return
        self.task = asyncio.current_task(running)  # type: ignore[union-attr]
        root = getattr(coroutine_of(self.task), "cr_frame", None)
        for one in _stack(frame):
            if one is root and not _is_eager(one):
                self._root = one
                return
            if _is_runner(one):
                self._root = one
                return
            if one.f_code.co_name == "_run" and _module(one) == "asyncio.events":
                return
        self.is_placed = False

    def starts(self, frame: FrameType) -> bool:
        """Return whether the loop's own code is called from, or calls, this frame."""
        return frame is self._root


def _is_eager(frame: FrameType) -> bool:
    back = frame.f_back
    return back is not None and _module(back) == "asyncio.tasks"


def _is_runner(frame: FrameType) -> bool:
    return frame.f_code.co_name == "run" and _module(frame) == "asyncio.runners"


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> object:
    return frame.f_globals.get("__name__")


def _trio_task() -> Any:
    try:
        return sys.modules["trio"].lowlevel.current_task()
    except (KeyError, RuntimeError):
        return None
