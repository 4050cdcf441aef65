"""The line of the program that an event is about."""

# A log, Sentry and OpenTelemetry show this line; without it they would show ours.

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from .._leaks.leak import LeakKind, is_library, place
from .collector import interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

    from .._leaks.leak import Leak

_OF_EXCEPTIONS = (LeakKind.MISUSED, LeakKind.NOT_AWAITABLE)
#: The demo of the package is a program like those of users.
_DEMO = "coroguard.demo"


class UserPlace(NamedTuple):
    """A line of the program.

    Args:
        place: ``file:line``; empty where it is not known.
        function: Name of the function that it is in.
    """

    place: str = ""
    function: str = ""


def user_place(leak: Leak | None) -> UserPlace:
    """Return the line that dropped or made what leaked, else the one that runs.

    Of a guarded call that has returned, it is the ``def`` of the function.
    """
    if leak is not None:
        if leak.lost and not is_library(leak.lost):
            return UserPlace(leak.lost, leak.caller)
        if leak.created and not is_library(leak.created):
            return UserPlace(leak.created, leak.created_in)
    if interrupted() is not None:  # what runs here has nothing to do with it
        return UserPlace()
    lines = list(_lines(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]
    if leak is not None and leak.kind in _OF_EXCEPTIONS:
        exception = sys.exception()
        raised = _raised(exception.__traceback__ if exception else None)
        lines = [*reversed(list(raised)), *lines]
    first = None
    for frame, line in lines:
        if not is_ours(frame):
            first = first or (frame, line)
            if not is_library(frame.f_code.co_filename):
                return _of(frame, line)
    return UserPlace() if first is None else _of(*first)


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of this package."""
    module = str(frame.f_globals.get("__name__", ""))
    return module.startswith("coroguard.") and not module.startswith(_DEMO)


def _of(frame: FrameType, line: int) -> UserPlace:
    return UserPlace(place(frame.f_code.co_filename, line), frame.f_code.co_qualname)


def _lines(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    """Yield the lines that run, from inside out."""
    while frame is not None:
        yield frame, frame.f_lineno or 0
        frame = frame.f_back


def _raised(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Yield the lines that an exception has passed, from outside in."""
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next
