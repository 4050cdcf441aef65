"""Origins of leaks: what an awaitable is, who made it, and on which line."""

# An event's place is a line of the program. A log, Sentry and OpenTelemetry show it;
# without it they would show ours.

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, CoroutineType, FrameType, FunctionType, TracebackType
from typing import Any, NamedTuple

from .._inspect.awaitables import static_type_attribute
from .._inspect.callables import HOLDERS, layers
from .leak import OF_EXCEPTIONS, Leak, LeakKind

# Comprehensions are frames of their own before 3.12, and generators always.
_INLINE = re.compile(r"(\.<locals>\.<(listcomp|setcomp|dictcomp|genexpr)>)+$")
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: may run Python code on attribute access
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


def record(
    kind: LeakKind,
    what: str,
    value: object,
    *,
    path: str = "",
    use: str = "",
    caller: str = "",
    frame: FrameType | None = None,
) -> Leak:
    """Describe an awaitable without keeping it, or running any of its code.

    Args:
        kind: What happened.
        what: What it is, as ``what_is`` names it.
        value: The object.
        path: Where in a value it was found.
        use: How it was used, as in ``Leak``.
        caller: Who used it, where no frame is given.
        frame: The frame in which it was dropped.
    """
    code = _code(value)
    name = _text(value, "__qualname__") or (code.co_qualname if code else "")
    if not name and what in ("task", "future"):
        name, code = _behind_task(value)
    created, created_in = _origin(value) if what == "coroutine" else ("", "")
    lost = ""
    if frame is not None and not _is_ours(frame):
        caller, lost = _INLINE.sub("", frame.f_code.co_qualname), _place_in(frame)
        if _is_accessor(type(_self_of(frame)), frame.f_code):
            use = "accessor"
        if is_library(frame.f_code.co_filename):
            use = "library"
            caller = frame.f_globals.get("__name__", "").partition(".")[0]
            frame = _nearest(frame)
        if created and frame is not None and is_library(created):
            created, created_in = _place_in(frame), frame.f_code.co_name
    if code is not None and "." in name and _is_property(value, code):
        use = "property"
    return Leak(
        kind=kind,
        what=what,
        name=name,
        defined=place(code.co_filename, code.co_firstlineno) if code else "",
        created=created,
        path=path,
        created_in=created_in,
        caller=caller,
        use=use,
        lost=lost,
    )


def is_library(file: str) -> bool:
    """Return whether a file belongs to Python or to an installed package."""
    return (
        file.startswith((_STANDARD_LIBRARY, "<frozen "))
        or "site-packages" in file
        or "dist-packages" in file
    )


def place(file: str, line: int) -> str:
    """Return ``file:line``, the file relative to the working directory."""
    try:
        root = os.getcwd() + os.sep
    except OSError:
        root = ""
    return f"{file.removeprefix(root)}:{line}"


def user_place(leak: Leak | None, *, runs_here: bool = True) -> UserPlace:
    """Return the line that dropped or made what leaked, else the one that runs.

    Of a guarded call that has returned, it is the ``def`` of the function.

    Args:
        leak: The leak, if it is about one.
        runs_here: Whether what runs here has to do with it, which it has not while
            the collector runs.
    """
    if leak is not None:
        if leak.lost and not is_library(leak.lost):
            return UserPlace(leak.lost, leak.caller)
        if leak.created and not is_library(leak.created):
            return UserPlace(leak.created, leak.created_in)
    if not runs_here:
        return UserPlace()
    lines = list(_lines(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]
    if leak is not None and leak.kind in OF_EXCEPTIONS:
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


def _place_in(frame: FrameType) -> str:
    return place(frame.f_code.co_filename, frame.f_lineno or 0)


def _is_ours(frame: FrameType) -> bool:
    """Return whether the guard itself dropped it, and not the program."""
    return str(frame.f_globals.get("__name__", "")).startswith("coroguard._")


def _nearest(frame: FrameType | None) -> FrameType | None:
    """Return the nearest calling frame that is not in a library."""
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _origin(coroutine: object) -> tuple[str, str]:
    """Return place and function of the call in the program that made it.

    A test double makes its coroutines in a library; the call of the double is
    further out, if origins are tracked that deep.
    """
    origin: Any = getattr(coroutine, "cr_origin", None)
    if not origin:
        return "", ""
    file, line, function = next(
        (entry for entry in origin if not is_library(entry[0])), origin[0]
    )
    return place(file, line), function


def _is_property(coroutine: object, code: CodeType) -> bool:
    """Return whether a coroutine that has not begun was made by a property."""
    frame: FrameType | None = getattr(coroutine, "cr_frame", None)
    if type(coroutine) is not CoroutineType or frame is None:
        return False
    kind: Any = frame.f_globals.get(code.co_qualname.rpartition(".")[0])
    if not issubclass(type(kind), type):
        kind = type(_self_of(frame))
    return _is_accessor(kind, code)


def _self_of(frame: FrameType) -> object:
    """Return the first argument of what runs in a frame."""
    code = frame.f_code
    return frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None


def _is_accessor(kind: type, code: CodeType) -> bool:
    """Return whether code gets, sets or deletes a property of a class."""
    member = static_type_attribute(kind, code.co_name)
    functions: tuple[object, ...] = ()
    if type(member) is property:
        functions = member.fget, member.fset, member.fdel
    elif type(member) is cached_property:
        functions = (member.func,)
    return any(
        type(it) is FunctionType and it.__code__ is code
        for function in functions
        for it in layers(function, through=HOLDERS)
    )


def _code(value: object) -> CodeType | None:
    """Return the code object of a coroutine-like value."""
    for attribute in ("cr_code", "gi_code", "ag_code"):
        code = getattr(type(value), attribute, None) and getattr(value, attribute, None)
        if code is not None and hasattr(code, "co_firstlineno"):
            return code  # type: ignore[no-any-return]
    generator = type(value).__name__ == "_AsyncGeneratorContextManager" and getattr(
        value, "gen", None
    )
    return _code(generator) if generator else None


def _behind_task(value: object) -> tuple[str, CodeType | None]:
    """Return name and code of the coroutine that a task runs."""
    get_coro = getattr(type(value), "get_coro", None)
    coroutine = get_coro(value) if get_coro else None
    if coroutine is None:
        return "", None
    return _text(coroutine, "__qualname__"), _code(coroutine)


def _text(value: object, attribute: str) -> str:
    """Return a string attribute of a built-in awaitable, or nothing."""
    if type(value).__flags__ & _HEAP_TYPE:
        func = getattr(value, "func", None) if _is_context_manager(value) else None
        return getattr(func, attribute, "")
    found = getattr(value, attribute, "")
    return found if isinstance(found, str) else ""


def _is_context_manager(value: object) -> bool:
    return type(value).__name__ == "_AsyncGeneratorContextManager"


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
