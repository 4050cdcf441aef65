"""Redefinitions and overrides that have replaced a guard."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._guard.names import DEFINITIONS
from .._inspect.attributes import MISSING, file_of, mro, own_dict, subclasses
from .._inspect.callables import is_guarded, reaches_guard
from .._inspect.colours import Colour, clash, colour_of, plain_function
from .._leaks.origins import place
from .findings import Finding, FindingKind
from .paths import METHODS, lookup

if TYPE_CHECKING:
    from .._guard.names import Definition

_THROWAWAY = "_"
_TEST_PARTS = ("test", "tests", "testing", "conftest")


def lost_definitions() -> Iterator[Finding]:
    """Yield the replacements of guards that a decorator put on a definition."""
    for (module, name), definition in list(DEFINITIONS.items()):
        found = lookup(sys.modules.get(module, MISSING), name)
        if id(type(found)) in METHODS:
            if not reaches_guard(found):
                yield from _replaced(module, name, definition, found)
                continue
            yield from _recoloured(module, name, definition)
            owner, _, attribute = name.rpartition(".")
            if owner:
                yield from lost_overrides(lookup(sys.modules[module], owner), attribute)


def lost_overrides(cls: Any, name: str) -> Iterator[Finding]:
    """Yield the overrides of a guarded method that have no guard or another colour."""
    if not isinstance(cls, type) or not is_guarded(own_dict(cls).get(name)):
        return
    for sub in subclasses(cls):
        holder = next(base for base in mro(sub) if name in own_dict(base))
        # A base that only comes first in the order of the bases overrides, too.
        replaces = holder is sub or not issubclass(holder, cls)
        if replaces and _is_product(sub, cls):
            yield from _override(name, holder, cls)


def moved(module: str, name: str, before: str, found: Any) -> Finding:
    """Return the finding of a guarded name that has another value now.

    Args:
        module: The name of the module.
        name: The qualified name in it.
        before: A description of what was guarded.
        found: What is there now; ``MISSING`` if nothing.
    """
    path = f"{module}:{name}"
    after, how = describe(found), "was rebound"
    advice = f"put @guard on {getattr(found, '__qualname__', name)}, or rebind {name} "
    advice += "before it is guarded"
    if found is MISSING:
        after, how = "", "was taken away"
        advice = f"unprotect({path!r}) before that"
    elif before == after:
        how, advice = "was loaded again", f"call protect({path!r}) after that"
    return Finding(
        kind=FindingKind.UNGUARDED,
        name=path,
        headline=f"{path} {how}, and has lost its guard",
        first=f"{before} (guarded)",
        second=after,
        advice=advice,
    )


def describe(target: Any) -> str:
    """Return the place, the kind and the name of a callable in one line."""
    function = plain_function(target)
    if function is None:
        return f"{type(target).__name__} object"
    code = function.__code__
    start = "async def" if colour_of(target) is Colour.ASYNC else "def"
    return f"{place(code.co_filename, code.co_firstlineno)}: {start} {code.co_name}"


def _replaced(
    module: str, name: str, definition: Definition, found: Any
) -> Iterator[Finding]:
    """Yield a finding where a bare function took the name of a decorated one."""
    function = plain_function(found)
    last = name.rpartition(".")[2]
    if function is None or last == _THROWAWAY:
        return
    code = function.__code__
    if code.co_filename == definition.file and code.co_qualname == name:
        # If the guard is still in use, the name was only lent to it: an overload,
        # a route, a handler of single dispatch.
        is_other = code.co_firstlineno != definition.line
        if is_other and definition.wrapper() is None:
            yield _twice(
                module, name, definition, describe(found), " without the guard"
            )
    elif last not in _loop_variables(module):
        yield moved(module, name, str(definition), found)


def _recoloured(module: str, name: str, definition: Definition) -> Iterator[Finding]:
    """Yield a finding where the source has guards of both colours under one name."""
    before = definition.before
    if before is None or name.rpartition(".")[2] == _THROWAWAY:
        return
    lines = {
        node.lineno
        for top in _tree(module)
        for node in ast.walk(top)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in [node, *node.decorator_list]
    }
    if before.wrapper() is None and {before.line, definition.line} <= lines:
        yield _twice(module, name, before, str(definition), "in another colour")


def _twice(module: str, name: str, first: Definition, second: str, how: str) -> Finding:
    path = f"{module}:{name}"
    return Finding(
        kind=FindingKind.UNGUARDED,
        name=path,
        headline=f"{path} is guarded, and then defined again {how}",
        first=f"{first} (guarded)",
        second=second,
        advice=f"rename or remove one of the two, and put @guard on {name}",
    )


def _loop_variables(module: str) -> set[str]:
    """Return the names that loops and ``with`` blocks of a module's source bind."""
    found: set[str] = set()
    for top in _tree(module):
        for node in ast.walk(top):
            target: ast.expr | None = None
            if isinstance(node, (ast.For, ast.AsyncFor)):
                target = node.target
            elif isinstance(node, ast.withitem):
                target = node.optional_vars
            if target is not None:
                found |= {it.id for it in ast.walk(target) if isinstance(it, ast.Name)}
    return found


def _tree(module: str) -> list[ast.stmt]:
    """Return the statements of a module's source; none where it has no file."""
    try:
        return ast.parse(Path(file_of(sys.modules.get(module))).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return []


def _is_product(sub: type, base: type) -> bool:
    """Return whether a subclass is part of the program, and not a local double."""
    module = str(own_dict(sub).get("__module__", ""))
    if lookup(sys.modules.get(module, MISSING), sub.__qualname__) is not sub:
        return False
    home = str(own_dict(base).get("__module__", ""))
    return not _is_test(module) or _is_test(home)


def _is_test(module: str) -> bool:
    return any(
        part in _TEST_PARTS or part.startswith("test_") or part.endswith("_test")
        for part in module.split(".")
    )


def _override(name: str, holder: type, base: type) -> Iterator[Finding]:
    found, inherited = own_dict(holder)[name], own_dict(base)[name]
    if id(type(found)) not in METHODS:
        return
    mine, theirs = f"{holder.__qualname__}.{name}", f"{base.__qualname__}.{name}"
    recoloured = clash(inherited, found)
    if not reaches_guard(found):
        headline = f"{mine} overrides the guarded {theirs} and is not guarded"
        advice = f"put @guard on {mine}"
    elif recoloured:
        headline = f"{mine} overrides {theirs} in another colour"
        advice = f"rename {mine}"
    else:
        return
    if recoloured:
        advice += f", and make it {colour_of(inherited)} like {theirs}"
    yield Finding(
        kind=FindingKind.OVERRIDE,
        name=f"{holder.__module__}:{mine}",
        headline=headline,
        first=describe(inherited),
        second=describe(found),
        advice=advice,
    )
