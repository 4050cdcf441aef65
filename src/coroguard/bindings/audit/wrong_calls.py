"""Calls that contradict the colour of what their name refers to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from ..._inspect.colours import Colour, colour_of
from ..._leaks.leak import short
from ..findings import FindingKind
from .asked import is_asked
from .call_uses import Use, Waits
from .control_flow import are_exclusive
from .locations import Place, place_of, report
from .plain_results import is_surely_async
from .scopes import By

if TYPE_CHECKING:
    from ..findings import Finding
    from .calls import Call
    from .module_source import Reading
    from .plain_results import Plainness
    from .scopes import Source

_RIGHT = {
    Colour.ASYNC: Waits.AWAIT,
    Colour.ASYNC_ITERATOR: Waits.FOR,
    Colour.ASYNC_CONTEXT: Waits.WITH,
}
_MARKS = {
    Waits.AWAIT: "__await__",
    Waits.FOR: "__aiter__",
    Waits.WITH: "__aenter__",
}


def wrong_calls(reading: Reading, plainness: Plainness) -> Iterator[Finding]:
    """Yield the calls that await a plain result, or use an async one as a value.

    Silent where a function has both kinds of call in branches of one choice,
    and where it asks for the colour itself.
    """
    source, calls = reading.source, reading.calls
    wrong = [call for call in calls if _is_wrong(call, plainness)]
    for call in wrong:
        if not _is_chosen(call, calls, source) and not is_asked(
            call.node, call.written, source
        ):
            yield from _found(call, reading.module, source)


def _is_wrong(call: Call, plainness: Plainness) -> bool:
    """Return whether the use of a call cannot go well."""
    if call.use is Use.AWAITED:
        if is_surely_async(call.target):
            colour = colour_of(call.target)
            right = _RIGHT.get(colour) if colour else None
            return right is not None and call.waits not in (right, Waits.NOT)
        mark = _MARKS.get(call.waits, "__await__")
        return plainness.lacks(call.target, mark)
    if call.use in (Use.VALUE, Use.DROPPED):
        return is_surely_async(call.target)
    return False


def _is_chosen(call: Call, calls: list[Call], source: Source) -> bool:
    """Return whether the same is called in both ways, in branches of one choice."""
    path = source.path(call.node)
    awaited = call.use is Use.AWAITED
    return any(
        (other.use is Use.AWAITED) is not awaited
        and other.written == call.written
        and other.within == call.within
        and are_exclusive(path, source.path(other.node))
        for other in calls
    )


def _found(call: Call, module: ModuleType, source: Source) -> Iterator[Finding]:
    name = call.written
    within = short(call.within)
    who = f"{within}()" if within else module.__name__
    here = Place(call.file, call.line, f"{_as_used(call)} in {within or 'the module'}")
    is_async = is_surely_async(call.target)
    colour = colour_of(call.target)
    headline = f"{who} {_what_it_does(call)}, and it is {colour or 'sync'} here"
    handler = _handler_import(call, source)
    if handler:
        headline += f"; it was imported in an {handler} block"
    if is_async:
        fix = _fix_of_async(call, within, source)
    else:
        fix = f"take the {call.waits or 'await'} before {name}(...) away, "
        fix += "or make it async again"
    return report(
        FindingKind.WRONG_CALL,
        f"{module.__name__}:{name}",
        headline,
        here,
        place_of(call.target),
        fix,
    )


def _what_it_does(call: Call) -> str:
    match call.use:
        case Use.AWAITED:
            return f"awaits {call.written}()"
        case Use.DROPPED:
            return f"calls {call.written}() without await and drops the result"
        case _:
            return f"uses the result of {call.written}() without await"


def _as_used(call: Call) -> str:
    return (
        f"{call.waits or 'await'} {call.written}()"
        if call.use is Use.AWAITED
        else (f"{call.written}()")
    )


def _fix_of_async(call: Call, within: str, source: Source) -> str:
    words = _RIGHT.get(colour_of(call.target) or Colour.ASYNC, Waits.AWAIT)
    fix = f"write {words} {call.written}(...) there"
    around = source.scopes[call.node].outwards()
    function = next((it.node for it in around if it.is_function), None)
    if isinstance(function, ast.FunctionDef):
        fix += f" and make {within} async"
    return f"{fix}, or call a synchronous twin"


def _handler_import(call: Call, source: Source) -> str:
    """Return ``except`` where the name was imported in a handler."""
    root: ast.AST = call.node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return ""
    owner = source.owner(root.id, source.scopes[call.node])
    bound = owner.bound.get(root.id, [])
    in_handler = all(
        it.by is By.IMPORT
        and any(branch.startswith("except ") for _, branch in source.path(it.node))
        for it in bound
    )
    return "except" if bound and in_handler else ""
