"""What a leak is: the frozen record that every error and event carries."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["Leak", "LeakKind", "place", "record", "short"]


class LeakKind(enum.StrEnum):
    """What happened to the awaitable."""

    RETURNED = "returned"
    NESTED = "nested"
    DROPPED = "dropped"
    SYMPTOM = "symptom"
    MISUSED = "misused"
    NOT_AWAITABLE = "not_awaitable"


@dataclass(frozen=True, slots=True)
class Leak:
    """One awaitable that got away; strings only, an unknown one is empty.

    Args:
        kind: What happened.
        what: What it is: ``coroutine``, ``async generator``, ``task``, ...
        name: Qualified name of the async function behind it.
        defined: ``file:line`` of that function.
        created: ``file:line`` of the call that made the object; known only
            while coroutine origins are tracked (strict mode).
        path: Where in the value it was found: ``$`` is the value itself.
        guarded: Qualified name of the guarded function, or of the watch.
        advice: What to type to mend it.
        created_in: Name of the function that made the object.
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

    def __str__(self) -> str:
        """Say it in one line."""
        text = f"{self.what} {short(self.name)!r}" if self.name else self.what
        if self.defined:
            text += f" (async def, {self.defined})"
        return text

    def at(self, path: str) -> Leak:
        """Return the same leak with the place in the value."""
        return replace(self, path=path)

    def within(self, guarded: str, *, is_async: bool) -> Leak:
        """Return the same leak as seen by ``guarded``, with its advice."""
        return replace(
            self, guarded=guarded, advice=_advice(self, guarded, is_async=is_async)
        )


def record(kind: LeakKind, what: str, value: object, *, path: str = "") -> Leak:
    """Describe an awaitable without keeping it, or running any of its code."""
    code = _code(value)
    name = _text(value, "__qualname__") or (code.co_qualname if code else "")
    if not name and what in ("task", "future"):
        name, code = _behind_task(value)
    origin: Any = getattr(value, "cr_origin", None) if what == "coroutine" else None
    created = created_in = ""
    if origin:
        file, line, created_in = origin[0]
        created = place(file, line)
    return Leak(
        kind=kind,
        what=what,
        name=name,
        defined=place(code.co_filename, code.co_firstlineno) if code else "",
        created=created,
        path=path,
        created_in=created_in,
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


def _advice(leak: Leak, guarded: str, *, is_async: bool) -> str:
    """Say what to type."""
    call = f"{short(leak.name)}(...)" if leak.name else f"the {leak.what}"
    owner = short(guarded)
    match leak.kind:
        case LeakKind.NOT_AWAITABLE:
            target = f"{short(leak.name)}(...)" if leak.name else "it"
            return f"take the await before {target} away, or make it async again"
        case LeakKind.SYMPTOM if not leak.name:
            return "find the call whose result was used without await, and await it"
        case _ if leak.what == "async generator":
            first = f"iterate {call} with 'async for' where it is called"
        case _ if leak.what == "async context manager":
            first = f"enter {call} with 'async with' where it is called"
        case _:
            first = f"await {call} where it is called"
    if is_async or (not owner.isidentifier() and "." not in owner):
        return first
    return f"{first}, and make {owner} async, or call a synchronous twin"
