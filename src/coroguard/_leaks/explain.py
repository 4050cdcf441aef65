"""The leak behind an exception: a coroutine used as a value, or its mirror image."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

from .._inspect.awaitables import is_builtin, is_kind, what_is
from .callsite import (
    Operand,
    name_of,
    operands,
    unwrapped,
    where_defined,
)
from .errors import CoroutineLeakError, GuardUsageError, NotAwaitableError
from .leak import Leak, LeakKind
from .mirror import awaited_plain
from .origins import is_library, place, record
from .symptoms import is_suspect, symptom
from .tracebacks import asked, innermost, nearest, text_of

_CLASS_OF_AWAITABLE = ("<class 'coroutine'>", "<class 'async_generator'>")
# Texts about an argument that do not name its type.
_NAMELESS = (
    "can only join an iterable",
    "%c requires",
    "* wants int",
    "not enough arguments for format string",
    "format requires a mapping",
    "strip arg must be",
    "slice indices must be",
    "isinstance() arg 2",
    "issubclass() arg",
    "quote_from_bytes() expected bytes",
    "Cannot mix str and non-str arguments",
    "replace() should be called on",
    "asdict() should be called on",
    "first argument must be string",
    "reduce() arg 2",
    "object supporting the buffer API",
    "exceptions must derive from BaseException",
    "catching classes that do not inherit",
    "argument should be a string or a Rational",
)
# Texts about an argument that should have been a function.
_FUNCTION_DUE = (
    "iter(v, w): v must be callable",
    "the first argument must be callable",
    "Expected first argument to be an integer, a callable",
    "signal handler must be",
)
_ALL_NAMELESS = (*_NAMELESS, *_FUNCTION_DUE)
_NOT_CALLABLE = ("object is not callable", "was expecting an async function")
_FUNCTION_REFUSED = "coroutines cannot be used with "
_OF_OURS = (CoroutineLeakError, NotAwaitableError)


def explain(exception: BaseException | None) -> Leak | None:
    """Return the leak that caused an exception, or ``None``.

    Objects and instructions are asked before texts: ``AttributeError.obj``,
    the names in the expression that raised, the instruction. Causes, contexts
    and the members of exception groups are asked too.

    Args:
        exception: Any exception, in flight or caught; ``None`` has no cause.

    Returns:
        A leak of kind ``MISUSED`` or ``NOT_AWAITABLE``, or the leak that a
        coroguard error carries.

    Raises:
        GuardUsageError: It is not an exception.
    """
    if exception is None:
        return None
    if not is_kind(exception, BaseException):
        raise GuardUsageError(
            f"explain() takes an exception, not a {type(exception).__name__}: "
            "write except Exception as error: explain(error)",
            code="CG204",
        )
    return next((leak for one in _related(exception) if (leak := _one(one))), None)


def _related(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its members, and what it was raised from."""
    waiting, seen = deque([exception]), set[int]()
    while waiting:
        one = waiting.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if is_kind(one, BaseExceptionGroup):
            waiting.extend(asked(one, "exceptions", BaseExceptionGroup))
        cause, context = asked(one, "__cause__"), asked(one, "__context__")
        if cause is not None:
            waiting.append(cause)
        elif context is not None and not asked(one, "__suppress_context__"):
            waiting.append(context)


def _one(exception: BaseException) -> Leak | None:
    if is_kind(exception, *_OF_OURS):
        return exception.leak  # type: ignore[attr-defined, no-any-return]
    if is_kind(exception, AttributeError):
        owner = asked(exception, "obj", AttributeError)
        if is_builtin(owner) and not _has_begun(owner):
            return _misused(owner)
    text = text_of(exception)
    is_nameless = is_kind(exception, TypeError) and text.startswith(_ALL_NAMELESS)
    if not is_nameless and not is_suspect(text):
        return None
    # Last, because the traceback of an exception that is raised again and again grows.
    traceback = innermost(asked(exception, "__traceback__"))
    if traceback is None:
        return None
    if is_kind(exception, TypeError, ValueError, AttributeError):
        plain = awaited_plain(exception, text, traceback)
        if plain is not None:
            return plain
    told = symptom(text, quoted=False)
    is_reuse = is_kind(exception, RuntimeError)
    if is_reuse and (told is None or "already awaited" not in text):
        return None
    by_class = any(shown in text for shown in _CLASS_OF_AWAITABLE)
    if not (told or by_class or is_nameless):
        return None
    is_due = text.startswith(_FUNCTION_DUE) or any(it in text for it in _NOT_CALLABLE)
    case = _Case("" if is_nameless else text, told, is_reuse, is_due)
    return _used_as_value(exception, case)


class _Case(NamedTuple):
    """Facts that the text of an exception shows.

    Args:
        text: The text; empty where it does not name the type.
        symptom: The leak that the text itself describes.
        is_reuse: Whether an awaited coroutine was awaited again.
        is_due: Whether a function was expected.
    """

    text: str
    symptom: Leak | None
    is_reuse: bool
    is_due: bool


def _used_as_value(exception: BaseException, case: _Case) -> Leak | None:
    """Name what the expression used, or what the nearest frames hold."""
    tracebacks = nearest(asked(exception, "__traceback__"))
    described, text = case.symptom, case.text
    # An object that is awaited is used correctly, unless it is an async generator.
    is_awaited = case.is_reuse or bool(
        described and described.what == "async generator" and "await" in text
    )
    for traceback in tracebacks:
        for operand in operands(traceback, awaited=is_awaited):
            leak = _of_operand(operand, traceback.tb_frame, case)
            if leak is not None:
                return leak
    for traceback in tracebacks if text and not case.is_reuse else ():
        library = is_library(traceback.tb_frame.f_code.co_filename)
        for value in traceback.tb_frame.f_locals.values():
            if is_builtin(value) and _names(text, value) and not _has_begun(value):
                return _misused(value, use="call" if case.is_due and library else "")
    if described is None:
        return None
    use = "call" if case.is_due else ""
    return Leak(LeakKind.MISUSED, described.what, use=use).within("", is_async=True)


def _of_operand(operand: Operand, frame: FrameType, case: _Case) -> Leak | None:
    value = operand.value
    if case.text.startswith(_FUNCTION_REFUSED):
        return _refused_function(value)
    if operand.is_call:
        return _of_call(operand, is_due=case.is_due)
    if not is_builtin(value) or (case.text and not _names(case.text, value)):
        return None
    if _has_begun(value) and not case.is_reuse:
        return None
    library = is_library(frame.f_code.co_filename)
    is_own = operand.is_called and not (operand.is_parameter or operand.is_kept)
    if not case.is_due or (is_own and not library):
        return _misused(value)
    is_receiver = operand.is_called and operand.is_parameter and not library
    return _misused(value, use="call", caller=frame.f_code.co_name * is_receiver)


def _of_call(operand: Operand, *, is_due: bool) -> Leak | None:
    """Return the leak of a call in the expression, if it makes a coroutine."""
    function = unwrapped(operand.value)  # for its name; a cache is not async
    asynchronous = inspect.isasyncgenfunction(function)
    if not asynchronous and not inspect.iscoroutinefunction(function):
        return None
    use = "call" if is_due and not operand.is_called else ""
    file, line = where_defined(function)
    return Leak(
        kind=LeakKind.MISUSED,
        what="async generator" if asynchronous else "coroutine",
        name=name_of(function),
        defined=place(file, line) if file else "",
        use="property" if operand.is_property else use,
    ).within("", is_async=True)


def _refused_function(function: object) -> Leak | None:
    """Name the coroutine function that an event loop has refused as a callback."""
    function = unwrapped(function)
    if not inspect.iscoroutinefunction(function):
        return None
    return Leak(
        kind=LeakKind.MISUSED,
        name=name_of(function),
        defined=place(*where_defined(function)),
        caller="asyncio",
        use="library",
    ).within("", is_async=True)


def _misused(value: object, *, use: str = "", caller: str = "") -> Leak:
    what = what_is(value) or "coroutine"
    leak = record(LeakKind.MISUSED, what, value, use=use, caller=caller)
    return leak.within("", is_async=True)


def _has_begun(value: object) -> bool:
    """Return whether a coroutine has begun to run; one that has is used rightly."""
    return inspect.iscoroutine(value) and (
        inspect.getcoroutinestate(value) != inspect.CORO_CREATED
    )


def _names(text: str, value: object) -> bool:
    """Return whether an error text names the type of ``value``."""
    return type(value).__name__ in text
