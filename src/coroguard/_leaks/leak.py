"""The frozen record of a leak, which every error and event carries."""

from __future__ import annotations

import enum
import os
import re
from dataclasses import dataclass, replace
from functools import cached_property
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import static_type_attribute
from .advice import advice_for

if TYPE_CHECKING:
    from types import CodeType, FrameType


# Comprehensions are frames of their own before 3.12, and generators always.
_INLINE = re.compile(r"(\.<locals>\.<(listcomp|setcomp|dictcomp|genexpr)>)+$")
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


class LeakKind(enum.StrEnum):
    """What happened to the awaitable."""

    RETURNED = "returned"
    NESTED = "nested"
    DROPPED = "dropped"
    SYMPTOM = "symptom"
    MISUSED = "misused"
    NOT_AWAITABLE = "not_awaitable"

    @property
    def code(self) -> str:
        """Code of the errors of this kind, for the page on troubleshooting."""
        return _CODES[self]


_CODES = {
    LeakKind.RETURNED: "CG101",
    LeakKind.NESTED: "CG102",
    LeakKind.DROPPED: "CG103",
    LeakKind.SYMPTOM: "CG104",
    LeakKind.MISUSED: "CG105",
    LeakKind.NOT_AWAITABLE: "CG106",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """One awaitable that got away; strings only, an unknown one is empty.

    Args:
        kind: What happened.
        what: What it is: ``coroutine``, ``async generator``, ``task``, ...
        name: Qualified name of the async function behind it; of the plain
            function, if a plain value was awaited.
        defined: ``file:line`` of that function.
        created: ``file:line`` of the call that made the object; known only
            while coroutine origins are tracked (strict mode).
        path: Where in the value it was found: ``$`` is the value itself.
        guarded: Qualified name of the guarded function, or of the watch.
        advice: What to type to fix it.
        created_in: Name of the function that made the object.
        caller: Qualified name of the function that dropped or misused it, or
            the name of the library.
        use: How it was used, where that decides what helps: ``call``,
            ``property``, ``library``, or nothing.
        lost: ``file:line`` of the line that dropped it.
    """

    kind: LeakKind
    what: str = "coroutine"
    name: str = ""
    defined: str = ""
    created: str = ""
    path: str = ""
    guarded: str = ""
    advice: str = ""
    created_in: str = ""
    caller: str = ""
    use: str = ""
    lost: str = ""

    def __str__(self) -> str:
        """Return the leak in one line."""
        if not self.name:
            return self.what
        is_plain = self.what.startswith("plain ")
        between, keyword = (" from ", "def") if is_plain else (" ", "async def")
        where = f" ({keyword}, {self.defined})" if self.defined else ""
        return f"{self.what}{between}{short(self.name)!r}{where}"

    def at(self, path: str) -> Leak:
        """Return the same leak with its place in the value."""
        return replace(self, path=path)

    def within(self, guarded: str, *, is_async: bool) -> Leak:
        """Return the same leak as seen by ``guarded``, with its advice."""
        advice = advice_for(
            self, short(self.name), short(self.caller), short(guarded), is_async
        )
        return replace(self, guarded=guarded, advice=advice)


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


def short(name: str) -> str:
    """Return a qualified name without the functions it was defined in."""
    return name.rpartition("<locals>.")[2]


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
    owner, _, name = code.co_qualname.rpartition(".")
    kind: Any = frame.f_globals.get(owner)
    if not issubclass(type(kind), type) and code.co_argcount:
        kind = type(frame.f_locals.get(code.co_varnames[0]))
    if not issubclass(type(kind), type):
        return False
    member = static_type_attribute(kind, name)
    getter = None
    if type(member) is property:
        getter = member.fget
    elif type(member) is cached_property:
        getter = member.func
    return type(getter) is FunctionType and getter.__code__ is code


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


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: may run Python code on attribute access


def _is_context_manager(value: object) -> bool:
    return type(value).__name__ == "_AsyncGeneratorContextManager"
