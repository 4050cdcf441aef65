"""Branches of one scope, and whether one run can reach two of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

#: The branches around a place: of which statement, and which of them.
Path = tuple[tuple[ast.AST, str], ...]

_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_TRY = (ast.Try, ast.TryStar)
# A handler runs instead of the rest of the body, and nothing runs instead of these.
_SEQUENCE = frozenset(("body", "orelse"))


def paths(scope: Iterable[ast.stmt]) -> dict[ast.stmt, Path]:
    """Return the path of every statement below, each scope counting for itself.

    What follows a branch that ends (``return``, ``raise``) is in the other one.
    """
    found: dict[ast.stmt, Path] = {}
    waiting: list[tuple[Iterable[ast.stmt], Path]] = [(scope, ())]
    while waiting:
        block, path = waiting.pop()
        for statement in block:
            found[statement] = path
            if isinstance(statement, _SCOPES):
                waiting.append((statement.body, ()))
                continue
            for branch, body in _branches(statement):
                step = ((statement, branch),) if branch else ()
                waiting.append((body, path + step))
            path += _after(statement)
    return found


def within_branches(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Path:
    """Return the branches of conditional expressions around a node."""
    found: list[tuple[ast.AST, str]] = []
    while not isinstance(node, ast.stmt) and node in parents:
        parent = parents[node]
        if isinstance(parent, ast.IfExp) and node is not parent.test:
            found.append((parent, "body" if node is parent.body else "orelse"))
        node = parent
    return tuple(reversed(found))


def are_exclusive(one: Path, other: Path) -> bool:
    """Return whether at most one of two places is reached."""
    mine = dict(one)
    return any(
        node in mine and _exclude(node, mine[node], branch) for node, branch in other
    )


def ends(block: list[ast.stmt]) -> bool:
    """Return whether nothing after a block is reached through it."""
    last = block[-1] if block else None
    if isinstance(last, ast.If):
        return ends(last.body) and ends(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return ends(last.body)
    if isinstance(last, _TRY):
        handled = all(ends(handler.body) for handler in last.handlers)
        return ends(last.finalbody) or (handled and ends(last.orelse or last.body))
    return isinstance(last, _ENDS)


def _exclude(node: ast.AST, one: str, other: str) -> bool:
    if one == other or "" in (one, other):
        return False
    return not (isinstance(node, _TRY) and {one, other} <= _SEQUENCE)


def _branches(statement: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield the blocks of a statement; without a name where it is not a choice."""
    if isinstance(statement, ast.If):
        yield "body", statement.body
        yield "orelse", statement.orelse
    elif isinstance(statement, _TRY):
        yield "body", statement.body
        yield "orelse", statement.orelse
        yield "", statement.finalbody
        for number, handler in enumerate(statement.handlers):
            yield f"except {number}", handler.body
    elif isinstance(statement, ast.Match):
        for number, case in enumerate(statement.cases):
            yield f"case {number}", case.body
    elif isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
        yield "", statement.body
        yield "", statement.orelse
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        yield "", statement.body


def _after(statement: ast.stmt) -> Path:
    """Return the branch before what follows a statement, if only one does."""
    if isinstance(statement, ast.If):
        if ends(statement.body):
            return ((statement, "orelse"),)
        if ends(statement.orelse):
            return ((statement, "body"),)
    elif isinstance(statement, _TRY) and statement.handlers:
        if ends(statement.orelse or statement.body):
            return ((statement, "except"),)
        if all(ends(handler.body) for handler in statement.handlers):
            return ((statement, "orelse"),)
    return ()
