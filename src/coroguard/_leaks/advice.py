"""The advice of a leak: what to type, at the place where it helps."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .leak import Leak

# Special methods that cannot be async, and where their work goes instead.
_ASYNC_KIN = {
    "__enter__": "__aenter__, and use 'async with'",
    "__exit__": "__aexit__, and use 'async with'",
    "__iter__": "__aiter__, and use 'async for'",
    "__next__": "__anext__, and use 'async for'",
    "__init__": "an async class method that creates the object",
    "__new__": "an async class method that creates the object",
    "__del__": "an async close(), which the owner awaits",
}
_ELSEWHERE = "an async method, or call a synchronous twin"
_PROBE = re.compile(r"\b(?:isawaitable|iscoroutine|isfuture)\(")


def advice_for(leak: Leak, name: str, caller: str, owner: str, is_async: bool) -> str:
    """Return what to type to fix a leak.

    Args:
        leak: The leak.
        name: Short name of the function behind it.
        caller: Short name of the function that made the call, if known.
        owner: Name of the guarded function, or of the watch.
        is_async: Whether the owner is async, or a block of code.
    """
    if leak.what.startswith("plain "):
        return _of_plain(leak, name)
    if not name and str(leak.kind) == "symptom":
        return "find the call whose result was used without await, and await it"
    if leak.use == "call" and name:
        receiver = f" {caller}" if caller else ""
        return f"give{receiver} {name} itself, without calling it"
    if leak.use == "library" and name:
        return f"{caller} does not await {name}: give it a synchronous function"
    if _PROBE.search(_line(leak.lost)):
        return f"ask inspect.iscoroutinefunction({_last(name)}) instead of calling it"
    is_owners = caller in ("", "<module>", owner)
    here = owner if is_owners else caller
    todo = _todo(leak, name)
    if _is_special(_last(here)):
        there = _ASYNC_KIN.get(_last(here), _ELSEWHERE)
        return f"{todo} in {there}: {here} cannot be async"
    verbs = ("read", "reads") if leak.use == "property" else ("called", "calls")
    if not is_owners:
        caller = "the lambda" if caller == "<lambda>" else caller
        return f"{todo} where {caller} {verbs[1]} it, or use a synchronous twin there"
    todo += f" where it is {verbs[0]}"
    if is_async or (not owner.isidentifier() and "." not in owner):
        return todo
    return f"{todo}, and make {owner} async, or call a synchronous twin"


def _of_plain(leak: Leak, name: str) -> str:
    """Return the advice for an ``await`` of a plain value."""
    if "Mock" in leak.what:
        return "use AsyncMock for what is awaited"
    if not name:
        return f"take away the await of the {leak.what}, or make its source async"
    last = _last(name)
    if last.startswith(("async_", "aio_")) or last.endswith("_async"):
        return f"make {name} async, as its name promises"
    return f"take the await before {name}(...) away, or make {name} async"


def _todo(leak: Leak, name: str) -> str:
    call = f"{name}(...)" if name else f"the {leak.what}"
    if leak.use == "property":
        return f"await .{_last(name)}"
    if leak.what == "async generator":
        return f"iterate {call} with 'async for'"
    if leak.what == "async context manager":
        return f"enter {call} with 'async with'"
    return f"await {call}"


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _is_special(name: str) -> bool:
    return name[:2] == name[-2:] == "__" and name != "__call__"


def _line(place: str) -> str:
    """Return the source line at ``file:line``, or nothing."""
    file, _, line = place.rpartition(":")
    return linecache.getline(file, int(line)) if line.isdecimal() else ""
