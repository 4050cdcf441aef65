"""Failures that no call raises: in threads, in lost tasks and in finalizers."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from .evidence import one_line

# The texts of asyncio's default exception handler, and of uvloop's, for what the
# program itself lost; it also reports peers that went away.
_LOST = (
    "Task exception was never retrieved",
    "Future exception was never retrieved",
    "Task was destroyed but it is pending",
    "Exception in callback",
    "unhandled exception during asyncio.run() shutdown",
)


class Background:
    """Listener for failures that Python can only print, before anything hides them.

    A test that replaces one of these hooks itself, or sets the exception handler
    of its loop, has dealt with what comes there.

    Args:
        note: Called with a line for each failure, in the thread that failed, and
            with the name of the warning that pytest makes of it, if it does.
    """

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note

    def start(self) -> None:
        """Put the hooks in place, over those that are there now."""
        self._hook_threads(threading.excepthook)
        self._hook_finalizers(sys.unraisablehook)
        logger: Any = logging.getLogger("asyncio")
        if "error" not in vars(logger):
            logger.error = self._heard_by_loop(logger.error)

    def _hook_threads(self, before: Callable[[Any], object]) -> None:
        def excepthook(args: Any) -> None:
            if args.exc_type is not SystemExit:
                name = f"thread {args.thread.name!r}" if args.thread else "a thread"
                line = _line(f"in {name}", args.exc_type, args.exc_value)
                self._note(line, "PytestUnhandledThreadExceptionWarning")
            before(args)

        threading.excepthook = excepthook

    def _hook_finalizers(self, before: Callable[[Any], object]) -> None:
        def unraisablehook(args: Any) -> None:
            # A warning that a filter made an error is a warning all the same.
            if not issubclass(args.exc_type, Warning):
                where = f"in {_name_of(args.object)}" if args.object else "unraisable"
                line = _line(where, args.exc_type, args.exc_value)
                self._note(line, "PytestUnraisableExceptionWarning")
            before(args)

        sys.unraisablehook = unraisablehook

    def _heard_by_loop(self, before: Callable[..., None]) -> Callable[..., None]:
        def error(message: object, *args: Any, **more: Any) -> None:
            text = str(message)
            if text.startswith(_LOST):
                self._lost(text.partition("\n")[0], more.get("exc_info"))
            more["stacklevel"] = more.get("stacklevel", 1) + 1
            before(message, *args, **more)

        return error

    def _lost(self, what: str, info: Any) -> None:
        if isinstance(info, tuple) and info[0] is not None:
            what = _line(what, info[0], info[1])
        self._note(one_line(what), "")


def _line(where: str, kind: type[BaseException], error: object) -> str:
    return one_line(f"{where}: {kind.__name__}: {error}")


def _name_of(thing: object) -> str:
    """Name an object without running anything of it."""
    name = getattr(thing, "__qualname__", None) if callable(thing) else None
    return name if isinstance(name, str) else type(thing).__qualname__
