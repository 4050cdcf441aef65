"""Which guards are not where they were put?"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .._guard.decorator import NAMES
from .._inspect.attributes import MISSING
from .._inspect.colours import Colour, clash, colour_of, plain_function
from .._inspect.guarded import is_guarded, reaches_guard
from .._leaks.errors import nearest
from .._leaks.leak import place
from .findings import Finding, FindingKind
from .paths import modules, own

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .records import Protection, Put

__all__ = ["lost_guards"]

_METHODS: tuple[Any, ...] = (FunctionType, staticmethod, classmethod)


def lost_guards(
    protections: Iterable[Protection], *, ended: bool = False
) -> Iterator[Finding]:
    """Yield what became of guards that are not in place any more.

    Args:
        protections: The paths that are protected.
        ended: Whether the program has ended: a module that was not needed in it
            is no finding then, one that does not exist is.
    """
    protections = list(protections)
    puts = [put for protection in protections for put in protection.put]
    for protection in protections:
        if not protection.put:
            yield from _unresolved(protection, ended)
    for put in puts:
        if is_guarded(put.guarded):  # not so where the process was started in off
            yield from _moved(put)
            yield from _doubled(put)
    yield from _from_before(puts)
    yield from _rebound()


def _unresolved(protection: Protection, ended: bool) -> Iterator[Finding]:
    path = protection.path
    fitting = [name for name in list(sys.modules) if path.fits(name)]
    if protection.wrong:
        why = protection.wrong
    elif fitting and path.is_pattern:
        why = f"no function of {', '.join(fitting[:3])} fits"
    elif fitting:
        why = f"{path.module} was imported by another import hook, past this one"
    elif path.is_pattern or _exists(path.module):
        if ended:
            return
        why = f"no module {path.module} has been imported"
    else:
        why = f"there is no module {path.module}"
        why += f".{hint}" if (hint := nearest(path.module, list(sys.modules))) else ""
    yield Finding(
        kind=FindingKind.UNRESOLVED,
        name=path.text,
        headline=f"protect({path.text!r}) guards nothing",
        first=why,
        advice="mend the path, or take it out",
    )


def _exists(module: str) -> bool:
    """Say whether there is such a module, without importing anything for it."""
    outer = module.rpartition(".")[0]
    if outer and outer not in sys.modules:
        return _exists(outer)
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _moved(put: Put) -> Iterator[Finding]:
    """Look where a protected name leads now."""
    module = sys.modules.get(put.module)
    if module is None:
        return
    found = _lookup(module, put.name)
    file = getattr(module, "__file__", None) or ""
    if file != put.file:
        yield Finding(
            kind=FindingKind.SHADOWED,
            name=put.module,
            headline=f"{put.module} comes from another file than before",
            first=put.file,
            second=file,
            advice="remove one of the two files, or its folder from sys.path",
        )
    if found is MISSING or not reaches_guard(found) or clash(put.guarded, found):
        yield _unguarded(put.module, put.name, describe(put.function), found)


def _unguarded(module: str, name: str, before: str, found: Any) -> Finding:
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


def _doubled(put: Put) -> Iterator[Finding]:
    """Find the same file imported under another name, where no guard was put."""
    if not put.file:
        return
    real = os.path.realpath(put.file)
    for name, module in modules():
        file = getattr(module, "__file__", None)
        if name == put.module or not isinstance(file, str):
            continue
        if os.path.basename(file) != os.path.basename(put.file):
            continue
        found = _lookup(module, put.name)
        if found is MISSING or reaches_guard(found) or os.path.realpath(file) != real:
            continue
        yield Finding(
            kind=FindingKind.TWO_NAMES,
            name=f"{name}:{put.name}",
            headline=f"{put.file} is imported twice, and guarded once",
            first=f"as {put.module} (guarded)",
            second=f"as {name}",
            advice=f"import it as {put.module} everywhere",
        )


def _from_before(puts: list[Put]) -> Iterator[Finding]:
    """Find modules that imported a function before its guard was put on."""
    bare = {id(it.function): it for it in puts if it.guarded is not it.function}
    for name, module in modules() if bare else ():
        for attribute, value in list(own(module).items()):
            put = bare.get(id(value))
            if put is not None and (name, attribute) != (put.module, put.name):
                yield Finding(
                    kind=FindingKind.UNGUARDED,
                    name=f"{name}:{attribute}",
                    headline=f"{name}:{attribute} was imported before "
                    f"{put.module}:{put.name} got its guard",
                    first=f"{describe(put.function)} (guarded in {put.module})",
                    advice=f"call protect() before {name} is imported",
                )


def _rebound() -> Iterator[Finding]:
    """Look where the names lead whose definitions have a guard."""
    for (module, name), before in list(NAMES.items()):
        found = _lookup(sys.modules.get(module), name)
        if type(found) not in _METHODS:
            continue
        if reaches_guard(found) or plain_function(found) is None:
            continue
        # Where the place is the same, it was guarded under another name.
        if describe(found).rpartition(": ")[0] != before.rpartition(": ")[0]:
            yield _unguarded(module, name, before, found)


def describe(target: Any) -> str:
    """Return the place, colour and name of what a name resolves to, in one line."""
    function = plain_function(target)
    if function is None:
        return f"{type(target).__name__} object"
    code = function.__code__
    start = "async def" if colour_of(target) is Colour.ASYNC else "def"
    return f"{place(code.co_filename, code.co_firstlineno)}: {start} {code.co_name}"


def _lookup(module: Any, name: str) -> Any:
    """Follow a qualified name without running any code."""
    found = MISSING if module is None else module
    for part in name.split("."):
        if found is not MISSING:
            found = inspect.getattr_static(found, part, MISSING)
    return found
