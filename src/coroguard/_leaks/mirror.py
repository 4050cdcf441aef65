"""The mirror image of a leak: ``await`` and its kin on a plain value."""

from __future__ import annotations

import inspect
from types import TracebackType
from typing import Any

from .._inspect.awaitables import is_kind, what_is
from .._inspect.callables import METHODS, PARTIALS, unwrap
from .callsite import (
    awaited_call,
    awaited_object,
    instruction,
    name_of,
    unwrapped,
    where_defined,
)
from .leak import Leak, LeakKind
from .origins import is_library, place
from .symptoms import symptom
from .tracebacks import asked, nearest

# The instructions that ask an object for its asynchronous protocol. LOAD_SPECIAL
# asks for that of ``with`` too.
_ENTERING = ("BEFORE_ASYNC_WITH", "LOAD_SPECIAL")
_ASKING = ("GET_AWAITABLE", _ENTERING[0], "GET_AITER", "GET_ANEXT")


def awaited_plain(
    exception: BaseException, text: str, traceback: TracebackType
) -> Leak | None:
    """Recognise ``await`` (and its kin) on a plain value by the instruction."""
    frame = traceback.tb_frame
    told = symptom(text)
    what = told.what if told else ""
    kind = what.removeprefix("plain ")
    if is_kind(exception, TypeError) and (
        instruction(traceback) in _ASKING
        or ("not support the async" in text and instruction(traceback) == _ENTERING[1])
    ):
        if what and kind == what:
            return None  # the wrong one of await, async for and async with
        uncalled = _uncalled(awaited_object(traceback))
        if uncalled is not None:
            return uncalled
        return _plain(kind, *awaited_call(traceback), use=_asked_by(traceback))
    if frame.f_globals.get("__name__", "").startswith("asyncio."):
        for name in ("coro_or_future", "coro", "fut", "main", "future"):
            if name in frame.f_locals and ("required" in text or "expected" in text):
                value = frame.f_locals[name]
                uncalled = _uncalled(value)
                if uncalled is not None:
                    return uncalled
                if what_is(value) is None:
                    called = nearest(asked(exception, "__traceback__"))[-2:][0]
                    caller = called.tb_frame.f_code.co_name
                    kind = type(value).__name__
                    return _plain(kind, None, use="argument", caller=caller)
    if is_kind(exception, TypeError) and kind != what:
        return _plain(kind, None)
    return None


def _asked_by(traceback: TracebackType) -> str:
    """Return which statement asked for an asynchronous protocol, if not ``await``."""
    name = instruction(traceback)
    if name == "GET_AWAITABLE":
        return ""
    return "async with" if name in _ENTERING else "async for"


def _uncalled(value: object) -> Leak | None:
    """Return the leak of an async function that was awaited without a call of it."""
    function = unwrapped(unwrap(value, through=(*PARTIALS, *METHODS)))
    if not inspect.iscoroutinefunction(function):
        return None
    return Leak(
        kind=LeakKind.NOT_AWAITABLE,
        what="coroutine function",
        name=name_of(function),
        defined=place(*where_defined(function)),
        use="uncalled",
    ).within("", is_async=True)


def _plain(
    kind: str, function: Any, called: str = "", *, use: str = "", caller: str = ""
) -> Leak:
    """Return the leak of an awaited plain value and the function it came from."""
    name, defined = called, ""
    if not inspect.iscoroutinefunction(unwrapped(function)):
        name = name_of(function) or called
        file, line = where_defined(function)
        defined = place(file, line) if file else ""
        if function is not None and (not file or is_library(file)):
            use = use or "library"  # which nobody will make async
    return Leak(
        kind=LeakKind.NOT_AWAITABLE,
        what=f"plain {kind}" if kind else "plain value",
        name=name,
        defined=defined,
        caller=caller,
        use=use,
    ).within("", is_async=True)
