"""Code that asks for a colour before it uses it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .scopes import FUNCTIONS

if TYPE_CHECKING:
    from .scopes import Source

# Code that asks for the colour first knows what it does.
_ASKS = re.compile(r"async|await|coro|(?<![a-z])sync(?![a-z])", re.IGNORECASE)
_ASKS_OF = re.compile(r"\b(isinstance|hasattr|type|callable)\(")
_ELSEWHERE = re.compile(r"\bsys\.(version|platform)|\bos\.name\b|\bplatform\.")
# Context managers in which a call fails, or warns, on purpose.
_EXPECTS = re.compile(r"raises|warns|catch_warnings", re.IGNORECASE)
_TESTED = (ast.If, ast.IfExp, ast.While)


def is_asked(place: ast.expr, written: str, source: Source) -> bool:
    """Return whether the code around a place asks for a colour, or expects a fault."""
    root = written.partition(".")[0]
    for text in _conditions(place, source):
        if asks(text) or _ELSEWHERE.search(text):
            return True
        if _ASKS_OF.search(text) and re.search(rf"\b{re.escape(root)}\b", text):
            return True
    return any(
        isinstance(inner, ast.Call)
        and asks(ast.unparse(inner.func).replace("asyncio.", ""))
        and any(ast.unparse(argument) == written for argument in inner.args)
        for inner in ast.walk(_function(place, source))
    )


def asks(text: str) -> bool:
    """Return whether code has a word for a colour, beside the keyword ``await``."""
    return _ASKS.search(text.replace("await ", "")) is not None


def _function(node: ast.AST, source: Source) -> ast.AST:
    while not isinstance(node, (*FUNCTIONS, ast.Module)):
        node = source.parents[node]
    return node


def _conditions(node: ast.AST, source: Source) -> Iterator[str]:
    """Yield the conditions under which a place is reached, in its function."""
    for statement, _ in source.path(node):
        if isinstance(statement, _TESTED):
            yield ast.unparse(statement.test)
    while not isinstance(node, (*FUNCTIONS, ast.Module)):
        inner, node = node, source.parents[node]
        if isinstance(node, _TESTED) and inner is not node.test:
            yield ast.unparse(node.test)
        elif isinstance(node, ast.BoolOp):
            yield from (ast.unparse(it) for it in node.values if it is not inner)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            items = " ".join(ast.unparse(it.context_expr) for it in node.items)
            if _EXPECTS.search(items):
                yield "expected: async"
