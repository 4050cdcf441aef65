"""Was this exception caused by a coroutine, or by awaiting a plain value?"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import is_builtin, what_is
from .callsite import called_functions, instruction, where_defined
from .errors import CoroutineLeakError, NotAwaitableError
from .leak import Leak, LeakKind, place, record
from .symptoms import symptom, tells_await_of_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

__all__ = ["explain"]

# The instructions that ask an object for its asynchronous protocol.
_ASKING = ("GET_AWAITABLE", "BEFORE_ASYNC_WITH", "GET_AITER", "GET_ANEXT")
_WHAT_IS_PLAIN = r"object ([\w.]+) can't|'([\w.]+)' object|method, got ([\w.]+)"
_AWAITABLE_KINDS = ("coroutine", "async_generator")
_CLASS_OF_AWAITABLE = ("<class 'coroutine'>", "<class 'async_generator'>")
_NEAREST_FRAMES = 3
# Typed Any: whatever a group holds, its members are asked the same way.
_GROUP: Any = BaseExceptionGroup


def explain(exception: BaseException) -> Leak | None:
    """Say which leak caused an exception, or ``None`` where none did.

    Objects and instructions are asked before texts: ``AttributeError.obj``,
    the locals of the innermost frames, the instruction that raised. Causes,
    contexts and the members of exception groups are asked too.

    Args:
        exception: Any exception, in flight or caught.

    Returns:
        A leak of kind ``MISUSED`` or ``NOT_AWAITABLE``, or the leak that a
        coroguard error carries.
    """
    return next((leak for one in _related(exception) if (leak := _one(one))), None)


def _related(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its members, and what it was raised from."""
    waiting, seen = [exception], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, _GROUP):
            waiting.extend(_asked(one, "exceptions", _GROUP))
        cause, context = _asked(one, "__cause__"), _asked(one, "__context__")
        if cause is not None:
            waiting.append(cause)
        elif context is not None and not _asked(one, "__suppress_context__"):
            waiting.append(context)


def _one(exception: BaseException) -> Leak | None:
    if isinstance(exception, (CoroutineLeakError, NotAwaitableError)):
        return exception.leak
    if isinstance(exception, AttributeError):
        owner = _asked(exception, "obj", AttributeError)
        if is_builtin(owner):
            return _misused(owner)
    traceback = _innermost(_asked(exception, "__traceback__"))
    text = _text(exception)
    if traceback is None:
        return None
    if isinstance(exception, (TypeError, ValueError)):
        plain = _awaited_plain(exception, text, traceback)
        if plain is not None:
            return plain
    if isinstance(exception, RuntimeError):
        return _by_source(text, traceback) if "already awaited" in text else None
    by_class = any(shown in text for shown in _CLASS_OF_AWAITABLE)
    told = isinstance(exception, TypeError) and symptom(text, quoted=False)
    if not by_class and not told:
        return None
    for frame in _frames(_asked(exception, "__traceback__")):
        for value in frame.f_locals.values():
            if is_builtin(value) and _names(text, value):
                return _misused(value)
    return _by_source(text, traceback) if told else None


def _awaited_plain(
    exception: BaseException, text: str, traceback: TracebackType
) -> Leak | None:
    """Recognise ``await`` (and its kin) on a plain value by the instruction."""
    frame = traceback.tb_frame
    if isinstance(exception, TypeError) and instruction(traceback) in _ASKING:
        match = re.search(_WHAT_IS_PLAIN, text)
        what = next((t for t in match.groups() if t), "") if match else ""
        if what in _AWAITABLE_KINDS:
            return None  # the wrong one of await, async for and async with
        functions = called_functions(traceback)
        return _plain(what, functions[0] if functions else None)
    if frame.f_globals.get("__name__", "").startswith("asyncio."):
        for name in ("coro_or_future", "coro", "fut", "main", "future"):
            if name in frame.f_locals and ("required" in text or "expected" in text):
                value = frame.f_locals[name]
                if what_is(value) is None:
                    return _plain(type(value).__name__, None)
    if isinstance(exception, TypeError) and tells_await_of_plain(text):
        leak = symptom(text)
        return _plain(leak.what.removeprefix("plain ") if leak else "", None)
    return None


def _plain(kind: str, function: Any) -> Leak:
    """Return the leak of an awaited plain value and the function it came from."""
    name, defined = "", ""
    if function is not None and not inspect.iscoroutinefunction(function):
        name = getattr(function, "__qualname__", "")
        file, line = where_defined(function)
        defined = place(file, line) if file else ""
    return Leak(
        kind=LeakKind.NOT_AWAITABLE,
        what=f"plain {kind}" if kind else "plain value",
        name=name,
        defined=defined,
    ).within("", is_async=True)


def _by_source(text: str, traceback: TracebackType) -> Leak:
    """Name the async function whose call stands in the expression that raised."""
    told = symptom(text)
    leak = Leak(kind=LeakKind.MISUSED, what=told.what if told else "coroutine")
    for called in called_functions(traceback):
        function = inspect.unwrap(called)  # for its name; a cache is not async
        asynchronous = inspect.isasyncgenfunction(function)
        if asynchronous or inspect.iscoroutinefunction(function):
            file, line = where_defined(function)
            leak = Leak(
                kind=LeakKind.MISUSED,
                what="async generator" if asynchronous else "coroutine",
                name=getattr(function, "__qualname__", ""),
                defined=place(file, line) if file else "",
            )
            break
    return leak.within("", is_async=True)


def _misused(value: object) -> Leak:
    what = what_is(value) or "coroutine"
    return record(LeakKind.MISUSED, what, value).within("", is_async=True)


def _names(text: str, value: object) -> bool:
    """Say whether an error text names the type of ``value``."""
    return type(value).__name__ in text


def _text(exception: BaseException) -> str:
    """Return an exception's text without running a ``__str__`` of its own."""
    args = _asked(exception, "args")
    return args[0] if args and type(args[0]) is str else ""


def _asked(exception: BaseException, name: str, kind: type = BaseException) -> Any:
    """Read what the interpreter keeps of an exception, past the class's own code."""
    return vars(kind)[name].__get__(exception)


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback


def _frames(traceback: TracebackType | None) -> list[FrameType]:
    """Return the innermost frames of a traceback, innermost first."""
    frames: list[FrameType] = []
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return frames[: -_NEAREST_FRAMES - 1 : -1]
