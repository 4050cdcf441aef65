"""The use of a call's result: awaited, read as a value, or dropped."""

from __future__ import annotations

import ast
import enum
from itertools import takewhile
from typing import TYPE_CHECKING

from ..._inspect.awaitables import static_type_attribute
from ..._inspect.promises import named_classes
from .scopes import FUNCTIONS, By

if TYPE_CHECKING:
    from .resolution import Lookups
    from .scopes import Scope, Source


class Use(enum.StrEnum):
    """The use of a call's result."""

    AWAITED = "awaited"
    VALUE = "value"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


class Waits(enum.StrEnum):
    """With which words a result is awaited."""

    NOT = ""
    AWAIT = "await"
    FOR = "async for"
    WITH = "async with"


# Attributes of coroutines, async generators and their context managers.
_PROTOCOL = frozenset(("send", "throw", "close", "asend", "athrow", "aclose"))
_PREFIXES = ("cr_", "ag_", "gi_", "__")
# Builtins that read a value, and cannot be given an awaitable.
_READERS = frozenset(
    (
        *("abs", "all", "any", "bool", "bytes", "dict", "enumerate", "float"),
        *("frozenset", "int", "iter", "len", "list", "max", "min", "next"),
        *("reversed", "round", "set", "sorted", "str", "sum", "tuple", "zip"),
    )
)
# Decorators that return what the function gives.
_HARMLESS = frozenset(("staticmethod", "classmethod", "property", "guard"))
_TESTED = (ast.If, ast.While, ast.Assert, ast.IfExp)


class Uses:
    """The uses of the calls of one module."""

    def __init__(self, source: Source, lookups: Lookups) -> None:
        self._source = source
        self._lookups = lookups

    def of(self, node: ast.expr, *, follow: bool = True) -> tuple[Use, Waits]:
        """Return the use of an expression's value, and how it is awaited.

        Args:
            node: The expression.
            follow: Ask for a variable that it is assigned to, how that is used.
        """
        parent = self._source.parents[node]
        match parent:
            case ast.Await():
                return Use.AWAITED, Waits.AWAIT
            case ast.AsyncFor() if parent.iter is node:
                return Use.AWAITED, Waits.FOR
            case ast.comprehension() if parent.iter is node and parent.is_async:
                return Use.AWAITED, Waits.FOR
            case ast.withitem() if parent.context_expr is node:
                statement = self._source.parents[parent]
                if isinstance(statement, ast.AsyncWith):
                    return Use.AWAITED, Waits.WITH
                return Use.VALUE, Waits.NOT
            case ast.Expr():
                return Use.DROPPED, Waits.NOT
            case (
                ast.Assign(targets=[ast.Name() as name])
                | ast.AnnAssign(target=ast.Name() as name)
            ) if follow:
                return self._of_variable(name)
            case ast.NamedExpr() if follow:
                return self._of_named(parent)
            case ast.IfExp() if parent.test is not node:
                return self.of(parent, follow=follow)
            case ast.BoolOp() if parent.values[-1] is node:
                return self.of(parent, follow=follow)
            case _:
                is_value = self._is_value(node, parent)
                return Use.VALUE if is_value else Use.UNKNOWN, Waits.NOT

    def _is_value(self, node: ast.expr, parent: ast.AST) -> bool:
        """Return whether the syntax around an expression reads it as a value."""
        match parent:
            case ast.Attribute():
                return not (
                    parent.attr in _PROTOCOL or parent.attr.startswith(_PREFIXES)
                )
            case ast.Subscript():
                return parent.value is node
            case ast.comprehension():
                return True  # what it iterates over, or its condition
            case ast.For():
                return parent.iter is node
            case ast.Assign():  # unpacked
                return isinstance(parent.targets[0], (ast.Tuple, ast.List))
            case ast.Call():
                return self._reads(node, parent)
            case ast.BoolOp() | ast.BinOp() | ast.UnaryOp() | ast.Compare():
                return True
            case ast.FormattedValue() | ast.Starred():
                return True
            case ast.Return():
                return self._promises_plain(self._source.scopes[parent])
            case _:
                return isinstance(parent, _TESTED) and parent.test is node

    def _promises_plain(self, scope: Scope) -> bool:
        """Return whether a function's annotation rules out awaitables."""
        node = scope.node
        if not isinstance(node, FUNCTIONS) or node.returns is None:
            return False
        if any(ast.unparse(it) not in _HARMLESS for it in node.decorator_list):
            return False  # it may await what the function gives
        names = self._lookups.names
        classes = named_classes(ast.unparse(node.returns), names)
        return classes is not None and not any(
            static_type_attribute(cls, mark) is not None
            for cls in classes
            for mark in ("__await__", "__aiter__", "__aenter__")
        )

    def _reads(self, node: ast.expr, call: ast.Call) -> bool:
        """Return whether a call is one of a builtin that reads this argument."""
        if not isinstance(call.func, ast.Name) or node not in call.args:
            return False
        name, scope = call.func.id, self._source.scopes[call]
        return name in _READERS and self._lookups.is_builtin(name, scope)

    def _of_named(self, node: ast.NamedExpr) -> tuple[Use, Waits]:
        """Return the use of ``(name := call())``, whose value goes both ways."""
        here, _ = self.of(node, follow=False)
        if here is not Use.VALUE:
            return Use.UNKNOWN, Waits.NOT
        use, _ = self._of_variable(node.target)
        return use if use is Use.VALUE else Use.UNKNOWN, Waits.NOT

    def _of_variable(self, name: ast.Name) -> tuple[Use, Waits]:
        """Return how a local variable is used, if each use is of one kind."""
        source = self._source
        scope = source.owner(name.id, source.scopes[name])
        if not scope.is_function or _is_passed_on(name.id, scope, source):
            return Use.UNKNOWN, Waits.NOT
        reads = _reads_of(name.id, scope, source)
        uses = {
            self.of(read, follow=False) for read in reads if not _is_alone(read, source)
        }
        kinds = {use for use, _ in uses}
        if len(kinds) != 1:
            return Use.UNKNOWN, Waits.NOT
        if kinds == {Use.AWAITED} and len(scope.bound[name.id]) != 1:
            return Use.UNKNOWN, Waits.NOT
        if len(uses) == 1:
            return uses.pop()
        return kinds.pop(), Waits.NOT


def _is_passed_on(name: str, scope: Scope, source: Source) -> bool:
    """Return whether a variable is bound otherwise too, or read by inner functions."""
    if any(it.by is not By.VALUE for it in scope.bound[name]):
        return True
    return any(
        source.owner(name, inner) is scope and _is_inside(inner, scope)
        for inner in source.all_scopes
        if name in inner.reads or name in inner.outer
    )


def _is_inside(inner: Scope, scope: Scope) -> bool:
    """Return whether a scope is of another function inside; comprehensions are not."""
    between = takewhile(lambda it: it is not scope, inner.outwards())
    return not all(it.is_comprehension for it in between)


def _reads_of(name: str, scope: Scope, source: Source) -> list[ast.Name]:
    return [
        read
        for inner in source.all_scopes
        for read in inner.reads.get(name, ())
        if source.owner(name, inner) is scope
    ]


def _is_alone(read: ast.Name, source: Source) -> bool:
    return isinstance(source.parents[read], ast.Expr)
