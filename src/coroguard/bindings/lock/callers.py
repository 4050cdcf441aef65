"""Callers of functions, and what they do with the results."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..._inspect.colours import plain_function
from ..._leaks.origins import place
from ..audit.call_uses import Use, Uses
from ..audit.calls import qualified_name
from ..audit.module_source import reading_of

if TYPE_CHECKING:
    from ..audit.module_source import Reading

_DOES = {
    Use.AWAITED: "awaits it",
    Use.VALUE: "uses it as a value",
    Use.DROPPED: "drops it",
    Use.UNKNOWN: "calls it",
}


def callers_of(
    functions: Mapping[str, Any], modules: Iterable[ModuleType]
) -> dict[str, list[str]]:
    """Return the callers of each function, a line each: place, function, use.

    Calls of a method on an object that only the running program has are known
    by the method's name, and marked as such.

    Args:
        functions: By ``module:qualified.name``.
        modules: Whose source is read; none of it is run.
    """
    plain = {name: plain_function(found) for name, found in functions.items()}
    certain: dict[str, list[str]] = {name: [] for name in functions}
    possible: dict[str, list[str]] = {name: [] for name in functions}
    for module in modules:
        reading = reading_of(module)
        if reading is None:
            continue
        for call in reading.calls:
            target = plain_function(call.target)
            line = _line(call.file, call.line, call.within, call.use)
            for name in (it for it in plain if target and plain[it] is target):
                certain[name].append(line)
        methods = {name for name in plain if "." in name.partition(":")[2]}
        for name, line in _by_name(reading, methods):
            possible[name].append(line)
    return {name: [*certain[name], *possible[name]] for name in functions}


def _by_name(reading: Reading, methods: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the calls of which only the method's name is known."""
    source, resolved = reading.source, {call.node for call in reading.calls}
    last = {name: name.rpartition(".")[2] for name in methods}
    found = [
        (node, name)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for name in methods
        if node.func.attr == last[name] and node not in resolved
    ]
    uses = Uses(source, reading.lookups)
    for node, name in found:
        use, _ = uses.of(node)
        line = _line(
            reading.file, node.lineno, qualified_name(source.scopes[node]), use
        )
        yield name, f"{line}, if {ast.unparse(node.func)} leads here"


def _line(file: str, line: int, within: str, use: Use) -> str:
    inside = f", {within}" if within else ", the module itself"
    return f"{place(file, line)}{inside} {_DOES[use]}"
