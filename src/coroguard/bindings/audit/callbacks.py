"""Functions and coroutines handed to parameters that take the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import MISSING
from ..._leaks.leak import short
from ..findings import FindingKind
from .asked import is_asked
from .calls import is_for_types, qualified_name
from .locations import Place, place_of, report
from .slots import (
    Wants,
    is_coroutine_function,
    known_functions,
    slots_of,
    start_soon,
)

if TYPE_CHECKING:
    from ..findings import Finding
    from .module_source import Reading

_WRONG = {
    (Wants.FUNCTION, False): FindingKind.ASYNC_CALLBACK,
    (Wants.FUNCTION, True): FindingKind.CALLED_CALLBACK,
    (Wants.CALLABLE, True): FindingKind.CALLED_CALLBACK,
    (Wants.COROUTINE, False): FindingKind.NOT_CALLED,
}


def wrong_callbacks(reading: Reading) -> Iterator[Finding]:
    """Yield the arguments whose colour their parameter cannot take.

    A coroutine function that is called for a plain value, a coroutine where the
    function is meant, and a function where a coroutine is meant.
    """
    known = known_functions()
    calls = {call.node: call for call in reading.calls}
    for node in reading.source.calls:
        call = calls.get(node)
        if call is not None and any(_handed(it, reading) for it in _arguments(node)):
            for slot in slots_of(call, reading.source.parents, known):
                yield from _judged(slot.value, slot.wants, node, reading)
            continue
        value = None if call else start_soon(node, reading.lookups.names)
        if value is not None and not is_for_types(node, reading.source):
            yield from _judged(value, Wants.CALLABLE, node, reading)


def _arguments(node: ast.Call) -> Iterator[ast.expr]:
    yield from node.args
    yield from (it.value for it in node.keywords)


def _handed(node: ast.expr, reading: Reading) -> tuple[Any, bool] | None:
    """Return the coroutine function that an argument is, or has called.

    Returns:
        The function, and whether the argument is its coroutine; ``None`` where
        it is neither.
    """
    if isinstance(node, ast.Call):
        target = reading.lookups.target(node)
        if getattr(target, "__qualname__", "") == "partial" and node.args:
            return _handed(node.args[0], reading)
        return (target, True) if is_coroutine_function(target) else None
    if isinstance(node, ast.Lambda):
        inner = _handed(node.body, reading)
        return None if inner is None or not inner[1] else (inner[0], False)
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    target = reading.lookups.value(node)
    if target is MISSING or not is_coroutine_function(target):
        return None
    return target, False


def _judged(
    value: ast.expr, wants: Wants, node: ast.Call, reading: Reading
) -> Iterator[Finding]:
    handed = _handed(value, reading)
    kind = None if handed is None else _WRONG.get((wants, handed[1]))
    if handed is None or kind is None:
        return
    if is_asked(value, ast.unparse(value), reading.source):
        return
    yield from _found(kind, handed[0], node, reading)


def _found(
    kind: FindingKind, target: Any, node: ast.Call, reading: Reading
) -> Iterator[Finding]:
    to, name = ast.unparse(node.func), short(target.__qualname__)
    within = short(qualified_name(reading.source.scopes[node]))
    who = f"{within}()" if within else reading.name
    here = Place(reading.file, node.lineno, f"{to}() in {within or 'the module'}")
    match kind:
        case FindingKind.ASYNC_CALLBACK:
            headline = f"{who} passes {name} to {to}(), which does not await it"
            fix = f"pass a plain function to {to}(), one that starts and keeps a task"
        case FindingKind.CALLED_CALLBACK:
            headline = f"{who} passes a coroutine of {name}() to {to}(), which calls it"
            fix = f"pass {name} itself, and its arguments after it or in a lambda"
        case _:
            headline = f"{who} passes {name} to {to}(), which expects its coroutine"
            fix = f"call it there: {name}(...)"
    name = f"{reading.name}:{within or name}"
    return report(kind, name, headline, here, place_of(target), fix)
