"""Methods and decorated functions that Python or a library calls without await."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._inspect.attributes import MISSING, namespace
from ..findings import FindingKind
from .asked import is_asked
from .call_uses import Use, Uses
from .calls import is_for_types, qualified_name
from .locations import Place, place_of, report
from .scopes import own_nodes
from .slots import is_coroutine_function

if TYPE_CHECKING:
    from ..findings import Finding
    from .module_source import Reading

# Methods that Python itself calls, and whose result it drops or reads as a value.
_CALLED_BY_PYTHON = frozenset(
    f"__{name}__"
    for name in (
        *("init", "post_init", "init_subclass", "set_name", "del", "exit"),
        *("bool", "len", "length_hint", "contains", "iter", "aiter", "hash", "index"),
        *("eq", "ne", "lt", "le", "gt", "ge", "int", "float", "complex", "bytes"),
        *("str", "repr", "format", "sizeof", "dir", "setstate", "reduce", "getstate"),
        *("setattr", "delattr", "setitem", "delitem", "set", "delete"),
        *("instancecheck", "subclasscheck"),
    )
)
# Decorators whose library calls the function and uses what it gives.
_CALLED_BY_LIBRARY = (
    ("functools", "lru_cache", "keeps the coroutine and gives it out again"),
    ("functools", "cache", "keeps the coroutine and gives it out again"),
    ("contextlib", "contextmanager", "reads it as a plain generator"),
    ("pydantic", "field_validator", "stores the coroutine as the value"),
    ("pydantic", "model_validator", "stores the coroutine as the value"),
    ("pydantic", "validator", "stores the coroutine as the value"),
    ("pydantic", "root_validator", "stores the coroutine as the value"),
    ("pydantic", "field_serializer", "writes the coroutine as the value"),
    ("pydantic", "model_serializer", "writes the coroutine as the value"),
    ("sqlalchemy.orm", "validates", "stores the coroutine as the value"),
    ("marshmallow", "validates", "drops the coroutine"),
    ("marshmallow", "validates_schema", "drops the coroutine"),
    ("atexit", "register", "drops the coroutine"),
)


def async_methods(reading: Reading) -> Iterator[Finding]:
    """Yield the ``async def`` whose caller is known not to await it."""
    source = reading.source
    for scope in source.all_scopes:
        node = scope.node
        if not isinstance(node, ast.AsyncFunctionDef) or is_for_types(node, source):
            continue
        parent = scope.parent
        reason = ""
        if parent is not None and parent.is_class and _is_called_by_python(node):
            reason = "Python calls it without await"
        for decorator in node.decorator_list:
            reason = reason or _by_library(decorator, reading)
        if reason:
            name = qualified_name(scope)
            here = Place(reading.file, node.lineno, f"async def {node.name}")
            yield from report(
                FindingKind.ASYNC_METHOD,
                f"{reading.name}:{name}",
                f"{name} is async, and {reason}",
                here,
                here,
                f"make {node.name} a plain def, and await outside of it",
            )


def _by_library(decorator: ast.expr, reading: Reading) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    target = reading.lookups.value(called)
    if target is MISSING:
        return ""
    for module, name, does in _CALLED_BY_LIBRARY:
        if module in sys.modules:
            known = namespace(sys.modules[module]).get(name, MISSING)
            if known is not MISSING and known is target:
                return f"{ast.unparse(called)} {does}"
    return ""


def _is_called_by_python(node: ast.AsyncFunctionDef) -> bool:
    is_generator = any(isinstance(it, ast.Yield) for it in own_nodes(node))
    return node.name in _CALLED_BY_PYTHON and not (
        node.name == "__aiter__" and is_generator
    )


def async_properties(reading: Reading, names: set[str]) -> Iterator[Finding]:
    """Yield the places that use an async property as a value, or drop it."""
    uses = Uses(reading.source, reading.lookups)
    for node in reading.source.attributes if names else ():
        if node.attr not in names or is_for_types(node, reading.source):
            continue
        getter = reading.lookups.getter(node)
        if getter is MISSING or not is_coroutine_function(getter):
            continue
        written = ast.unparse(node)
        use, _ = uses.of(node)
        if use not in (Use.VALUE, Use.DROPPED) or is_asked(
            node, written, reading.source
        ):
            continue
        within = qualified_name(reading.source.scopes[node])
        here = Place(
            reading.file, node.lineno, f"{written} in {within or 'the module'}"
        )
        yield from report(
            FindingKind.ASYNC_PROPERTY,
            f"{reading.name}:{within or node.attr}",
            f"{within or reading.name} uses {written} without await, and it is async",
            here,
            place_of(getter),
            f"write await {written}, or make the property plain",
        )


def names_of_async_properties(readings: list[Reading]) -> set[str]:
    """Return the names of the properties that are written as ``async def``."""
    return {
        node.name
        for reading in readings
        for scope in reading.source.all_scopes
        if isinstance(node := scope.node, ast.AsyncFunctionDef)
        and any(ast.unparse(it) == "property" for it in node.decorator_list)
    }
