"""The frozen record of a leak, which every error and event carries, and its words."""

from __future__ import annotations

import enum
import linecache
import re
from dataclasses import dataclass, replace

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
#: Statements that ask for more than an awaitable, and what would do.
_ASYNC_FORMS = {
    "async for": "an async generator",
    "async with": "an async context manager",
}
_PROBE = re.compile(
    r"\b(?:isawaitable|iscoroutine|isfuture)\(|[\"']__await__[\"']"
    r"|\bisinstance\(.{1,200}\b(?:Awaitable|Coroutine|CoroutineType)\b"
)


_CODES = {
    "returned": "CG101",
    "nested": "CG102",
    "dropped": "CG103",
    "symptom": "CG104",
    "misused": "CG105",
    "not_awaitable": "CG106",
}


class LeakKind(enum.StrEnum):
    """The kind of a leak: what happened to the awaitable.

    Attributes:
        code: Code of the errors of this kind, for the page on troubleshooting.
    """

    RETURNED = "returned"
    NESTED = "nested"
    DROPPED = "dropped"
    SYMPTOM = "symptom"
    MISUSED = "misused"
    NOT_AWAITABLE = "not_awaitable"

    def __init__(self, word: str) -> None:
        self.code = _CODES[word]


#: The kinds that show as an exception, which has a traceback of its own.
OF_EXCEPTIONS = (LeakKind.MISUSED, LeakKind.NOT_AWAITABLE)


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
            ``property``, ``accessor``, ``library``, ``async for``,
            ``async with``, ``argument``, ``uncalled``, ``held`` by its caller, or
            nothing.
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
        advice = _advice(
            self, short(self.name), short(self.caller), short(guarded), is_async
        )
        return replace(self, guarded=guarded, advice=advice)


def short(name: str) -> str:
    """Return a qualified name without the functions it was defined in."""
    return name.rpartition("<locals>.")[2]


def message_of(leak: Leak, expected: str) -> str:
    """Return the text of a leak's error: the headline and the lines that are known."""
    who, a_thing = as_call(leak.guarded), with_article(leak.what)
    match leak.kind:
        case LeakKind.DROPPED:
            headline = f"{who} left {a_thing} behind un-awaited"
        case LeakKind.SYMPTOM if leak.what.startswith("plain "):
            headline = f"{who} reported that it awaited a {leak.what}"
        case LeakKind.SYMPTOM:
            headline = f"{who} reported the text of a leaked {leak.what}"
        case LeakKind.MISUSED:
            headline = f"{who} used {a_thing} as a value"
        case LeakKind.NOT_AWAITABLE:
            headline = f"{who} awaited what is not awaitable"
        case _:
            headline = f"{who} let {a_thing} escape"
    label = "awaited" if leak.kind is LeakKind.NOT_AWAITABLE else "leaked"
    where = leak.path if leak.path not in ("", "$") else ""
    created = leak.created
    if created and leak.created_in:
        created += f", in {short(leak.created_in)}"
    return labelled_lines(
        headline,
        **{label: str(leak)},
        where=where,
        created=created,
        expected=expected,
        fix=leak.advice,
    )


def labelled_lines(headline: str, **labelled: str) -> str:
    """Join a headline with the labelled lines that have a text."""
    lines = [f"  {label + ':':<9} {text}" for label, text in labelled.items() if text]
    return "\n".join([headline, *lines])


def as_call(guarded: str) -> str:
    """Return a name as a call of it, where it is one of a function."""
    name = short(guarded) or "the program"
    return f"{name}()" if name.replace(".", "").isidentifier() else name


def with_article(noun: str) -> str:
    """Return ``a`` or ``an`` and the noun."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def _advice(leak: Leak, name: str, caller: str, owner: str, is_async: bool) -> str:
    """Return what to type to fix a leak.

    Args:
        leak: The leak.
        name: Short name of the function behind it.
        caller: Short name of the function that made the call, if known.
        owner: Name of the guarded function, or of the watch.
        is_async: Whether the owner is async, or a block of code.
    """
    if leak.what.startswith("plain "):
        return _of_plain(leak, name, caller)
    if not name and str(leak.kind) == "symptom":
        return "find the call whose result was used without await, and await it"
    if leak.use == "uncalled":
        return f"call it: {name}(...)"
    if leak.use == "call":
        receiver = f" {caller}" if caller else ""
        return f"give{receiver} {name or 'the function'} itself, without calling it"
    if leak.use == "held":
        return f"await {caller}(...), which was given {name}"
    if leak.use == "library" and name:
        return f"{caller} does not await {name}: give it a synchronous function"
    if _PROBE.search(_line(leak.lost)):
        return f"ask inspect.iscoroutinefunction({_last(name)}) instead of calling it"
    is_owners = caller in ("", "<module>", owner)
    here = owner if is_owners else caller
    todo = _todo(leak, name)
    if leak.use == "accessor":
        return f"{todo} in {_ELSEWHERE}: {here} is a property"
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


def _of_plain(leak: Leak, name: str, caller: str) -> str:
    """Return the advice for an ``await`` of a plain value."""
    if "Mock" in leak.what:
        return "use AsyncMock for what is awaited"
    if leak.use in _ASYNC_FORMS:
        take_away = f"use '{leak.use.removeprefix('async ')}' instead of '{leak.use}'"
        if not name:
            return take_away
        return f"{take_away} on {name}(...), or make {name} {_ASYNC_FORMS[leak.use]}"
    if leak.use == "argument":
        return f"use the {leak.what} without {caller}(), or make its source async"
    if not name:
        return f"take away the await of the {leak.what}, or make its source async"
    take_away = f"take the await before {name}(...) away"
    if leak.use == "library":
        return take_away
    last = _last(name)
    if last.startswith(("async_", "aio_")) or last.endswith("_async"):
        return f"make {name} async, as its name promises"
    return f"{take_away}, or make {name} async"


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
