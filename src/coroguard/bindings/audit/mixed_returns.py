"""Functions that return a coroutine on one path and a plain value on another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..._leaks.leak import short
from ..findings import FindingKind
from .asked import asks, is_asked
from .call_uses import Use
from .calls import is_for_types, is_made_by, qualified_name
from .locations import Place, report
from .scopes import FUNCTIONS
from .slots import is_coroutine_function

if TYPE_CHECKING:
    from ..findings import Finding
    from .calls import Call
    from .module_source import Reading
    from .plain_results import Plainness
    from .scopes import Scope


def mixed_returns(
    reading: Reading, readings: list[Reading], plainness: Plainness
) -> Iterator[Finding]:
    """Yield the functions that no caller can use rightly on every path.

    An async function that returns an un-awaited coroutine on one path and a plain
    value on another; a sync one only where a caller uses what it gives without
    asking which of the two it is.
    """
    for scope in reading.source.all_scopes:
        node: Any = scope.node
        if not isinstance(node, FUNCTIONS) or is_for_types(node, reading.source):
            continue
        pair = _pair(scope, reading, plainness)
        if pair is None or node.decorator_list or _is_named_async(node):
            continue
        coroutine, plain = pair
        if isinstance(node, ast.FunctionDef):
            users = _users(scope, reading, readings)
            if not users or any(asks(it.within) for it in users):
                continue
        yield from _found(scope, coroutine, plain, reading)


def _pair(
    scope: Scope, reading: Reading, plainness: Plainness
) -> tuple[ast.expr, ast.expr] | None:
    """Return one returned coroutine and one returned plain value, if there are both."""
    coroutine = plain = None
    if len(scope.returns) < 2:
        return None
    for value in (it.value for it in scope.returns):
        if value is None:
            continue
        if isinstance(value, ast.Call) and is_coroutine_function(
            reading.lookups.target(value)
        ):
            if is_asked(value, ast.unparse(value.func), reading.source):
                return None
            coroutine = value
        elif _is_value(value) and plainness.is_plain(value, scope, reading):
            plain = value
    if coroutine is None or plain is None:
        return None
    return coroutine, plain


def _is_named_async(node: Any) -> bool:
    """Return whether a function's signature has a word for a colour."""
    written = [node.name, ast.unparse(node.args)]
    if node.returns is not None:
        written.append(ast.unparse(node.returns))
    return any(map(asks, written))


def _is_value(value: ast.expr) -> bool:
    """Return whether a value is more than a refusal: ``None`` is often one."""
    return not (isinstance(value, ast.Constant) and value.value is None)


def _users(scope: Scope, reading: Reading, readings: list[Reading]) -> list[Call]:
    """Return the calls of a function whose result is awaited or read as a value."""
    return [
        call
        for other in readings
        for call in other.calls
        if call.use in (Use.AWAITED, Use.VALUE)
        and is_made_by(call.target, scope.node, reading.file)
    ]


def _found(
    scope: Scope, coroutine: ast.expr, plain: ast.expr, reading: Reading
) -> Iterator[Finding]:
    name = qualified_name(scope)
    call = ast.unparse(coroutine.func) if isinstance(coroutine, ast.Call) else ""
    fix = f"return await {call}(...)"
    if isinstance(scope.node, ast.FunctionDef):
        fix += f", and make {short(name)} async"
    return report(
        FindingKind.MIXED_RETURN,
        f"{reading.name}:{name}",
        f"{short(name)} returns a coroutine on one path and a plain value on another",
        Place(reading.file, coroutine.lineno, f"return {call}() without await"),
        Place(reading.file, plain.lineno, "return of a plain value"),
        fix,
    )
