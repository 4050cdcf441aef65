"""Exceptions and their tracebacks, read past the code of their classes."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any

from .origins import is_library

_NEAREST_FRAMES = 6
_OF_LOOPS = ("_run", "_run_once", "run_forever", "run_until_complete")


def text_of(exception: BaseException) -> str:
    """Return an exception's text without running a ``__str__`` of its own."""
    args = asked(exception, "args")
    return args[0] if args and type(args[0]) is str else ""


def asked(exception: BaseException, name: str, kind: type = BaseException) -> Any:
    """Read what the interpreter keeps of an exception, past the class's own code."""
    return vars(kind)[name].__get__(exception)


def innermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback


def nearest(traceback: TracebackType | None) -> list[TracebackType]:
    """Return the part of the program that raised, after the library it called.

    What is further out may hold coroutines that are used rightly, as
    ``asyncio.run(main())`` does.
    """
    inner: deque[TracebackType] = deque(maxlen=_NEAREST_FRAMES)
    while traceback is not None:
        inner.appendleft(traceback)
        traceback = traceback.tb_next
    found: list[TracebackType] = []
    for one in inner:
        code = one.tb_frame.f_code
        found.append(one)
        if code.co_name in _OF_LOOPS or not is_library(code.co_filename):
            break
    return found
