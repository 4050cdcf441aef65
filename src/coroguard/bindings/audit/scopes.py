"""The scopes of a module: the names that each binds, and where they are read."""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .control_flow import Path, paths, within_branches

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MARKS = (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class By(enum.Enum):
    """The kind of statement that binds a name."""

    IMPORT = enum.auto()
    STAR = enum.auto()
    DEF = enum.auto()
    CLASS = enum.auto()
    VALUE = enum.auto()
    PARAMETER = enum.auto()
    DELETED = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One place that binds a name.

    Args:
        by: What binds it.
        node: The import, definition or other statement.
        detail: The alias of an import, the value of an assignment.
    """

    by: By
    node: Any
    detail: Any = None


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function, lambda or comprehension.

    Args:
        node: Its syntax.
        parent: The scope around it; ``None`` for the module.
        bound: The bindings of each name, in the order of the source.
        stars: The star imports.
        outer: Names that it declares ``global`` or ``nonlocal``.
        reads: Where each name is read in this scope itself.
        returns: The ``return`` statements of the function itself.
    """

    node: ast.AST
    parent: Scope | None
    bound: dict[str, list[Binding]] = field(default_factory=dict[str, list[Binding]])
    stars: list[Binding] = field(default_factory=list[Binding])
    outer: dict[str, str] = field(default_factory=dict[str, str])
    reads: dict[str, list[ast.Name]] = field(default_factory=dict[str, list[ast.Name]])
    returns: list[ast.Return] = field(default_factory=list[ast.Return])

    @property
    def is_class(self) -> bool:
        """Whether functions inside do not see its names."""
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_function(self) -> bool:
        """Whether its names are gone when it ends, and it is not an expression."""
        return isinstance(self.node, FUNCTIONS)

    @property
    def is_called(self) -> bool:
        """Whether its code runs when it is called, not where it is written."""
        return isinstance(self.node, (*FUNCTIONS, ast.Lambda))

    @property
    def is_comprehension(self) -> bool:
        """Whether it belongs to the scope around it, but for what it binds."""
        return isinstance(self.node, _COMPREHENSIONS)

    def outwards(self) -> Iterator[Scope]:
        """Yield the scope, and those around it."""
        here: Scope | None = self
        while here is not None:
            yield here
            here = here.parent


@dataclass(slots=True, eq=False)
class Source:
    """The syntax of a module, and questions about its places.

    Args:
        tree: The module.
        parents: The node around each node.
        scopes: The scope that each call, name, definition and import is in.
        paths: The branches around each statement.
        calls: Every call.
        attributes: Every attribute that is read.
        stored: By the name of an attribute, where it is assigned, and what.
        imports: Every import statement.
        all_scopes: The scopes, outer ones first.
    """

    tree: ast.Module
    parents: dict[ast.AST, ast.AST]
    scopes: dict[ast.AST, Scope]
    paths: dict[ast.stmt, Path]
    calls: list[ast.Call]
    attributes: list[ast.Attribute]
    stored: dict[str, list[tuple[ast.Attribute, ast.expr | None]]]
    imports: list[ast.Import | ast.ImportFrom]
    all_scopes: list[Scope]

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the statement that a node is part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def path(self, node: ast.AST) -> Path:
        """Return the branches around any node."""
        inner = within_branches(node, self.parents)
        return self.paths[self.statement(node)] + inner

    def owner(self, name: str, scope: Scope) -> Scope:
        """Return the scope that owns a name that ``scope`` reads."""
        here = scope
        while here.parent is not None:
            if not here.is_class or here is scope:
                if here.outer.get(name) == "global":
                    break
                if name in here.bound and name not in here.outer:
                    return here
            here = here.parent
        return self.scopes[self.tree]

    def nonlocals(self) -> set[str]:
        """Return the names that some inner function declares ``nonlocal``."""
        words = (it for scope in self.all_scopes for it in scope.outer.items())
        return {name for name, word in words if word == "nonlocal"}

    def rebound(self) -> set[str]:
        """Return the names of the module that a function may bind anew."""
        return {
            name
            for scope in self.all_scopes
            for name, word in scope.outer.items()
            if word == "global" and name in scope.bound
        }


def read(tree: ast.Module) -> Source:
    """Read a module's syntax once, for all questions."""
    parents: dict[ast.AST, ast.AST] = {}
    source = Source(tree, parents, {}, paths(tree.body), [], [], {}, [], [])
    reader = _Reader(source)
    top = reader.scope(tree, None)
    source.scopes[tree] = top
    # A stack and not a recursion: source that was generated can be deep.
    waiting: list[tuple[ast.AST, Scope]] = [(child, top) for child in tree.body[::-1]]
    parents.update(dict.fromkeys(tree.body, tree))
    while waiting:
        node, scope = waiting.pop()
        children = list(reader.visit(node, scope))
        for child, _ in children:
            parents.setdefault(child, node)
        waiting += children[::-1]
    return source


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a definition, without those of definitions inside it."""
    waiting: list[ast.AST] = [*ast.iter_child_nodes(node)]
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(part)


class _Reader:
    """Enters each node into its scope, and yields its children with theirs."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def scope(self, node: ast.AST, parent: Scope | None) -> Scope:
        """Open a scope."""
        made = Scope(node, parent)
        self._source.all_scopes.append(made)
        return made

    def visit(self, node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        """Enter one node; yield its children, each with its scope."""
        self._source.scopes[node] = scope
        if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            yield from self._definition(node, scope)
        elif isinstance(node, _COMPREHENSIONS):
            inner = self.scope(node, scope)
            for child in _children(node):
                yield child, inner
        else:
            self._enter(node, scope)
            for child in _children(node):
                yield child, scope

    def _definition(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda,
        scope: Scope,
    ) -> Iterator[tuple[ast.AST, Scope]]:
        inner = self.scope(node, scope)
        if not isinstance(node, ast.Lambda):
            by = By.CLASS if isinstance(node, ast.ClassDef) else By.DEF
            _bind(scope, node.name, Binding(by, node))
        if not isinstance(node, ast.ClassDef):
            for name in _parameters(node.args):
                _bind(inner, name, Binding(By.PARAMETER, node))
        body = node.body if isinstance(node.body, list) else [node.body]
        for child in _children(node):
            if all(child is not part for part in body):
                yield child, scope
        for part in body:
            yield part, inner

    def _enter(self, node: ast.AST, scope: Scope) -> None:
        source = self._source
        match node:
            case ast.Call():
                source.calls.append(node)
            case ast.Name(ctx=ast.Load()):
                scope.reads.setdefault(node.id, []).append(node)
            case ast.Name(ctx=ast.Del()):
                _bind(scope, node.id, Binding(By.DELETED, node))
            case ast.Name():
                _bind(_around(node, scope, source), node.id, _stored(node, source))
            case ast.Return():
                scope.returns.append(node)
            case ast.Attribute(ctx=ast.Load()):
                source.attributes.append(node)
            case ast.Attribute(ctx=ast.Store()):
                stored = node, _value_of(node, source)
                source.stored.setdefault(node.attr, []).append(stored)
            case ast.Import() | ast.ImportFrom():
                source.imports.append(node)
                _import(node, scope)
            case ast.Global() | ast.Nonlocal():
                word = "global" if isinstance(node, ast.Global) else "nonlocal"
                scope.outer.update(dict.fromkeys(node.names, word))
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
                _bind(scope, node.name, Binding(By.OTHER, node))
            case ast.MatchMapping() if node.rest:
                _bind(scope, node.rest, Binding(By.OTHER, node))
            case _:
                pass


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in a node, without the marks that have no names."""
    for name in node._fields:
        value: Any = getattr(node, name, None)
        parts: list[Any] = value if type(value) is list else [value]
        for child in parts:
            if isinstance(child, ast.AST) and not isinstance(child, _MARKS):
                yield child


def _bind(scope: Scope, name: str, binding: Binding) -> None:
    scope.bound.setdefault(name, []).append(binding)


def _around(name: ast.Name, scope: Scope, source: Source) -> Scope:
    """Return the scope that an assignment in a comprehension binds in."""
    if isinstance(source.parents.get(name), ast.NamedExpr):
        while scope.is_comprehension and scope.parent is not None:
            scope = scope.parent
    return scope


def _stored(name: ast.Name, source: Source) -> Binding:
    value = _value_of(name, source)
    # A declaration binds nothing, but makes the name local.
    return Binding(By.OTHER if value is None else By.VALUE, name, value)


def _value_of(target: ast.expr, source: Source) -> ast.expr | None:
    """Return the value assigned to a target, neither unpacked nor looped over."""
    match source.parents.get(target):
        case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() as statement:
            return statement.value
        case _:
            return None


def _import(node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        if alias.name == "*":
            scope.stars.append(Binding(By.STAR, node, alias))
            continue
        name = alias.asname or alias.name
        if isinstance(node, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
        _bind(scope, name, Binding(By.IMPORT, node, alias))


def _parameters(args: ast.arguments) -> Iterator[str]:
    more = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, *more):
        yield arg.arg
