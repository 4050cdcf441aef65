"""The calls of a module whose target is known."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import MISSING, file_of, own_dict, unbound
from ..._inspect.colours import plain_function
from .call_uses import Use, Uses, Waits
from .scopes import FUNCTIONS, By

if TYPE_CHECKING:
    from .resolution import Lookups
    from .scopes import Scope, Source


@dataclass(frozen=True, slots=True)
class Call:
    """One call of something that its module can name.

    Args:
        target: What is called here and now: a function, class or other callable.
        written: As the source writes it: ``health.check``.
        file: The file.
        line: Its line.
        within: Qualified name of the enclosing function; empty at module level.
        use: What becomes of what the call gives.
        waits: The words it is awaited with; empty where it is not.
        node: The syntax of the call.
    """

    target: Any
    written: str
    file: str
    line: int
    within: str
    use: Use
    waits: Waits
    node: ast.Call


def tree_of(module: ModuleType) -> ast.Module | None:
    """Parse a module's source file; ``None`` where it cannot be read."""
    file = file_of(module)
    if not file.endswith(".py"):
        return None
    linecache.checkcache(file)
    try:
        return ast.parse("".join(linecache.getlines(file)), file)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def calls_of(module: ModuleType, source: Source, lookups: Lookups) -> list[Call]:
    """Return the calls of a module whose target is known for certain.

    Nothing is imported and no code of the module runs. Left out are calls whose
    target is unknown or may be several things, code under ``TYPE_CHECKING``
    and definitions in a branch that was not taken.
    """
    uses = Uses(source, lookups)
    file = str(vars(module).get("__file__", ""))
    living = _Living(module, source, lookups)
    found: list[Call] = []
    for node in source.calls:
        target = lookups.target(node)
        if target is MISSING or not living.reaches(node):
            continue
        written = ast.unparse(node.func)
        use, waits = uses.of(node)
        within = qualified_name(source.scopes[node])
        line = node.lineno
        found.append(Call(target, written, file, line, within, use, waits, node))
    return found


def qualified_name(scope: Scope | None) -> str:
    """Return the name that Python gives the function around a place, or nothing."""
    names: list[str] = []
    while scope is not None and scope.parent is not None:
        node = scope.node
        if scope.is_function:
            names.append(".<locals>" * bool(names))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or (
            names and isinstance(node, ast.ClassDef)
        ):
            names.append(node.name)
        scope = scope.parent
    return ".".join(it.lstrip(".") for it in reversed(names) if it)


class _Living:
    """The code of a module that can run, as the module was imported."""

    def __init__(self, module: ModuleType, source: Source, lookups: Lookups) -> None:
        self._names = vars(module)
        self._file = str(self._names.get("__file__", ""))
        self._source = source
        self._lookups = lookups
        self._known: dict[Scope, bool] = {}

    def reaches(self, node: ast.AST) -> bool:
        """Return whether a place is in no branch that this process leaves out."""
        return not self._only_for_types(node) and self._lives(self._source.scopes[node])

    def _only_for_types(self, node: ast.AST) -> bool:
        scope = self._source.scopes[node]
        while not isinstance(node, ast.Module):
            if is_for_types(node, self._source):
                return True
            node, scope = scope.node, scope.parent or scope
        return False

    def _lives(self, scope: Scope) -> bool:
        if scope.parent is None:
            return True
        if scope not in self._known:
            lives = self._lives(scope.parent)
            self._known[scope] = lives and self._is_made(scope, scope.parent)
        return self._known[scope]

    def _is_made(self, scope: Scope, parent: Scope) -> bool:
        """Return whether a definition is the one that its name refers to."""
        node: Any = scope.node
        is_definition = scope.is_function or scope.is_class
        if not is_definition or not (parent.parent is None or parent.is_class):
            return True
        name: str = node.name
        bound = [it for it in parent.bound.get(name, ()) if it.by is not By.DELETED]
        if len(bound) == 1 and not self._source.path(node):
            return True
        if scope.is_class:
            return self._holds(self._lookups.defined_class(scope), node)
        found = self._found(name, parent)
        return any(is_made_by(it, node, self._file) for it in found)

    def _found(self, name: str, parent: Scope) -> list[Any]:
        """Return the functions that a name of a module or class refers to."""
        if parent.parent is None:
            return [self._names.get(name, MISSING)]
        cls = self._lookups.defined_class(parent)
        found: Any = MISSING if cls is None else own_dict(cls).get(name, MISSING)
        if type(found) is property:
            accessors: tuple[Any, ...] = (found.fget, found.fset, found.fdel)
            return [it for it in accessors if it is not None]
        return [unbound(found)]

    def _holds(self, cls: type | None, node: ast.ClassDef) -> bool:
        """Return whether a class was made by this very statement."""
        return cls is not None and any(
            is_made_by(unbound(member), part, self._file)
            for part in node.body
            if isinstance(part, FUNCTIONS)
            for member in own_dict(cls).values()
        )


def is_for_types(node: ast.AST, source: Source) -> bool:
    """Return whether a place is under an ``if TYPE_CHECKING`` of its own scope."""
    return any(
        branch == "body" and _is_type_checking(statement)
        for statement, branch in source.path(node)
    )


def _is_type_checking(node: ast.AST) -> bool:
    test = node.test if isinstance(node, ast.If) else None
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def is_made_by(found: Any, node: Any, file: str) -> bool:
    """Return whether a function is the one that a definition in a file makes."""
    function = plain_function(found)
    if function is None or function.__code__.co_filename != file:
        return False
    lines = [node.lineno, *(it.lineno for it in node.decorator_list)]
    return function.__code__.co_firstlineno in lines
