"""The bindings of each name of a scope, in order, with their colours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import MISSING, loaded, module_name, namespace, own_dict
from ..._inspect.colours import Colour, colour_of
from ..._inspect.promises import WORDS
from .calls import is_for_types, is_made_by
from .scopes import By, own_nodes

if TYPE_CHECKING:
    from .module_source import Reading
    from .scopes import Binding, Scope

# Decorators that neither register a function nor change its colour.
_HARMLESS = frozenset(
    (
        *("staticmethod", "classmethod", "abstractmethod", "override", "final"),
        *("wraps", "cache", "guard", "watch", "deprecated"),
    )
)
_CONTEXTS = {
    "contextmanager": Colour.SYNC,
    "asynccontextmanager": Colour.ASYNC_CONTEXT,
}


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One statement that binds a name.

    Args:
        node: The statement.
        colour: The colour of what it binds; ``None`` where it is not known.
        found: What it binds, as far as that exists still; else ``MISSING``.
        by: What kind of statement it is.
    """

    node: Any
    colour: Colour | None
    found: Any
    by: By

    @property
    def start(self) -> tuple[int, int]:
        """The first line of the statement, without its decorators."""
        return self.node.lineno, self.node.col_offset


def steps_of(scope: Scope, reading: Reading) -> dict[str, list[Step]]:
    """Return what binds each name, for the names that are bound more than once.

    Star imports count for the names that they bring now. Left out are ``_``,
    dunders and what is under ``if TYPE_CHECKING``.
    """
    found: dict[str, list[Step]] = {}
    for name, bindings in scope.bound.items():
        for binding in bindings:
            if _counts(binding, reading):
                step = _step(name, binding, scope, reading)
                found.setdefault(name, []).append(step)
    for star in scope.stars:
        if not is_for_types(star.node, reading.source):
            for name, value in _brings(star, reading):
                step = Step(star.node, colour_of(value), value, By.STAR)
                found.setdefault(name, []).append(step)
    return {
        name: sorted(steps, key=lambda step: step.start)
        for name, steps in found.items()
        if len(steps) > 1 and name != "_" and not name.startswith("__")
    }


def _counts(binding: Binding, reading: Reading) -> bool:
    node = binding.node
    if isinstance(node, ast.Name) and isinstance(
        declared := reading.source.parents.get(node), ast.AnnAssign
    ):
        return declared.value is not None
    return not is_for_types(node, reading.source)


def _step(name: str, binding: Binding, scope: Scope, reading: Reading) -> Step:
    node = binding.node
    if binding.by is By.IMPORT:
        found = reading.lookups.imported(binding)
        colour = None if found is MISSING else colour_of(found)
        return Step(node, colour, found, By.IMPORT)
    if binding.by is not By.DEF:
        return Step(node, None, MISSING, binding.by)
    found = _live(name, node, scope, reading)
    colour = defined_colour(node)
    if colour is None and found is not MISSING:
        colour = colour_of(found)
    return Step(node, colour, found, By.DEF)


def _live(name: str, node: Any, scope: Scope, reading: Reading) -> Any:
    """Return the object of a definition, if its name still refers to it."""
    if scope.parent is None:
        found = vars(reading.module).get(name, MISSING)
    else:
        cls = reading.lookups.defined_class(scope)
        found = MISSING if cls is None else own_dict(cls).get(name, MISSING)
    return found if is_made_by(found, node, reading.file) else MISSING


def defined_colour(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Colour | None:
    """Return the colour that a definition has by its syntax alone."""
    words = [_last_name(it) for it in node.decorator_list]
    for word in words:
        if word in _CONTEXTS:
            return _CONTEXTS[word]
    if not _HARMLESS.issuperset(words):
        return None
    if isinstance(node, ast.AsyncFunctionDef):
        marks = (ast.Yield, ast.YieldFrom)
        yields = any(isinstance(part, marks) for part in own_nodes(node))
        return Colour.ASYNC_ITERATOR if yields else Colour.ASYNC
    if node.returns is not None:
        names = {_last_name(it) for it in ast.walk(node.returns)}
        # Text inside the annotation is read as text.
        text = ast.unparse(node.returns)
        if names & WORDS or any(word in text for word in WORDS):
            return None
    return Colour.SYNC


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _brings(star: Binding, reading: Reading) -> Iterator[tuple[str, Any]]:
    """Yield the names that a star import binds, of modules that are loaded."""
    node: ast.ImportFrom = star.node
    module = loaded(module_name(reading.module, node.module, node.level))
    names = namespace(module)
    exported = names.get("__all__")
    if type(exported) not in (list, tuple):
        exported = [name for name in names if not name.startswith("_")]
    for name in exported or ():
        if type(name) is str and name in names:
            yield name, names[name]
