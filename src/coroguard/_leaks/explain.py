"""The leak behind an exception: a coroutine used as a value, or its mirror image."""

from __future__ import annotations

import inspect
from collections import deque
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import is_builtin, what_is
from .callsite import (
    Operand,
    awaited_call,
    instruction,
    is_kind,
    name_of,
    operands,
    unwrapped,
    where_defined,
)
from .errors import CoroutineLeakError, GuardUsageError, NotAwaitableError
from .leak import Leak, LeakKind
from .origins import is_library, place, record
from .symptoms import is_suspect, symptom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

# The instructions that ask an object for its asynchronous protocol. LOAD_SPECIAL
# asks for that of ``with`` too.
_ENTERING = ("BEFORE_ASYNC_WITH", "LOAD_SPECIAL")
_ASKING = ("GET_AWAITABLE", _ENTERING[0], "GET_AITER", "GET_ANEXT")
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
    "iter(v, w): v must be callable",
    "the first argument must be callable",
    "first argument must be string",
    "reduce() arg 2",
    "object supporting the buffer API",
    "exceptions must derive from BaseException",
    "catching classes that do not inherit",
    "argument should be a string or a Rational",
)
_FUNCTION_REFUSED = "coroutines cannot be used with "
_NEAREST_FRAMES = 6
_OF_LOOPS = ("_run", "_run_once", "run_forever", "run_until_complete")
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
            waiting.extend(_asked(one, "exceptions", BaseExceptionGroup))
        cause, context = _asked(one, "__cause__"), _asked(one, "__context__")
        if cause is not None:
            waiting.append(cause)
        elif context is not None and not _asked(one, "__suppress_context__"):
            waiting.append(context)


def _one(exception: BaseException) -> Leak | None:
    if is_kind(exception, *_OF_OURS):
        return exception.leak  # type: ignore[attr-defined, no-any-return]
    if is_kind(exception, AttributeError):
        owner = _asked(exception, "obj", AttributeError)
        if is_builtin(owner) and not _has_begun(owner):
            return _misused(owner)
    text = _text(exception)
    is_nameless = is_kind(exception, TypeError) and text.startswith(_NAMELESS)
    if not is_nameless and not is_suspect(text):
        return None
    # Last, because the traceback of an exception that is raised again and again grows.
    traceback = _innermost(_asked(exception, "__traceback__"))
    if traceback is None:
        return None
    if is_kind(exception, TypeError, ValueError, AttributeError):
        plain = _awaited_plain(exception, text, traceback)
        if plain is not None:
            return plain
    told = symptom(text, quoted=False)
    is_reuse = is_kind(exception, RuntimeError)
    if is_reuse and (told is None or "already awaited" not in text):
        return None
    by_class = any(shown in text for shown in _CLASS_OF_AWAITABLE)
    if not (told or by_class or is_nameless):
        return None
    return _used_as_value(
        exception, "" if is_nameless else text, told, is_reuse=is_reuse
    )


def _awaited_plain(
    exception: BaseException, text: str, traceback: TracebackType
) -> Leak | None:
    """Recognise ``await`` (and its kin) on a plain value by the instruction."""
    frame = traceback.tb_frame
    told = symptom(text)
    what = told.what if told else ""
    kind = what.removeprefix("plain ")
    if is_kind(exception, TypeError) and (
        instruction(traceback) in _ASKING
        or ("async" in text and instruction(traceback) == _ENTERING[1])
    ):
        if what and kind == what:
            return None  # the wrong one of await, async for and async with
        return _plain(kind, *awaited_call(traceback), use=_asked_by(traceback))
    if frame.f_globals.get("__name__", "").startswith("asyncio."):
        for name in ("coro_or_future", "coro", "fut", "main", "future"):
            if name in frame.f_locals and ("required" in text or "expected" in text):
                value = frame.f_locals[name]
                if what_is(value) is None:
                    called = _nearest(_asked(exception, "__traceback__"))[-2:][0]
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


def _used_as_value(
    exception: BaseException, text: str, told: Leak | None, *, is_reuse: bool
) -> Leak | None:
    """Name what the expression used, or what the nearest frames hold."""
    tracebacks = _nearest(_asked(exception, "__traceback__"))
    # An object that is awaited is used correctly, unless it is an async generator.
    is_awaited = is_reuse or bool(
        told and told.what == "async generator" and "await" in text
    )
    for traceback in tracebacks:
        for operand in operands(traceback, awaited=is_awaited):
            leak = _of_operand(operand, traceback.tb_frame, text, is_reuse=is_reuse)
            if leak is not None:
                return leak
    for traceback in tracebacks if text and not is_reuse else ():
        for value in traceback.tb_frame.f_locals.values():
            if is_builtin(value) and _names(text, value) and not _has_begun(value):
                return _misused(value)
    if told is None:
        return None
    return Leak(kind=LeakKind.MISUSED, what=told.what).within("", is_async=True)


def _of_operand(
    operand: Operand, frame: FrameType, text: str, *, is_reuse: bool
) -> Leak | None:
    value = operand.value
    if text.startswith(_FUNCTION_REFUSED):
        return _refused_function(value)
    if operand.is_call:
        function = unwrapped(value)  # for its name; a cache is not async
        asynchronous = inspect.isasyncgenfunction(function)
        if not asynchronous and not inspect.iscoroutinefunction(function):
            return None
        file, line = where_defined(function)
        return Leak(
            kind=LeakKind.MISUSED,
            what="async generator" if asynchronous else "coroutine",
            name=name_of(function),
            defined=place(file, line) if file else "",
            use="property" if operand.is_property else "",
        ).within("", is_async=True)
    if not is_builtin(value) or (text and not _names(text, value)):
        return None
    if _has_begun(value) and not is_reuse:
        return None
    if not operand.is_called or not operand.is_parameter:
        return _misused(value)
    library = is_library(frame.f_code.co_filename)
    return _misused(value, use="call", caller="" if library else frame.f_code.co_name)


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


def _nearest(traceback: TracebackType | None) -> list[TracebackType]:
    """Return the part of the program that raised, after the library it called.

    What is further out may hold coroutines that are used rightly, as
    ``asyncio.run(main())`` does.
    """
    innermost: deque[TracebackType] = deque(maxlen=_NEAREST_FRAMES)
    while traceback is not None:
        innermost.appendleft(traceback)
        traceback = traceback.tb_next
    nearest: list[TracebackType] = []
    for one in innermost:
        code = one.tb_frame.f_code
        nearest.append(one)
        if code.co_name in _OF_LOOPS or not is_library(code.co_filename):
            break
    return nearest
