"""Guards by path that are not where they were put."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from .._inspect.attributes import MISSING, file_of, namespace
from .._inspect.awaitables import ids
from .._inspect.callables import is_guarded, reaches_guard
from .._inspect.colours import clash
from .._inspect.texts import nearest
from .findings import Finding, FindingKind
from .paths import METHODS, lookup, modules
from .redefinitions import describe, lost_definitions, lost_overrides, moved

if TYPE_CHECKING:
    from .paths import Protection, Put

_KNOWN = METHODS | ids(MethodType, partial, type)


def lost_guards(
    protections: Iterable[Protection], *, ended: bool = False
) -> Iterator[Finding]:
    """Yield a finding for each guard that is not in place any more.

    Args:
        protections: The paths that are protected.
        ended: Whether the program has ended: a module that was not needed in it
            is not a finding then, one that does not exist is.
    """
    protections = list(protections)
    for protection in protections:
        if not (protection.put or protection.refused or protection.passed):
            yield from _unresolved(protection, ended)
        for name, why in protection.refused.items():
            yield _refused(protection, name, why)
    puts = [put for protection in protections for put in protection.put.values()]
    for put in puts:
        if is_guarded(put.guarded):  # not so where the process was started in off
            yield from _moved(put)
            yield from _doubled(put)
    yield from _from_before(puts)
    for protection in protections:
        # A pattern names the modules that are guarded; those beyond are not meant.
        if not protection.path.is_pattern:
            for put in protection.put.values():
                if isinstance(put.owner, type):
                    yield from lost_overrides(put.owner, put.attribute)
    yield from lost_definitions()


def _unresolved(protection: Protection, ended: bool) -> Iterator[Finding]:
    path = protection.path
    fitting = [name for name in list(sys.modules) if path.fits(name)]
    if protection.problem:
        why = protection.problem
    elif fitting and path.is_pattern:
        if not re.search(r"\w", path.name):  # all names: nothing can be misspelt
            return
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
        advice="correct the path, or remove it",
    )


def _refused(protection: Protection, name: str, why: str) -> Finding:
    """Return the finding of a function that a pattern could not guard."""
    return Finding(
        kind=FindingKind.UNGUARDED,
        name=name,
        headline=f"protect({protection.path.text!r}) could not guard {name}",
        first=why,
        advice="put @guard on it in the source, or use a pattern that leaves it out",
    )


def _exists(module: str) -> bool:
    """Return whether there is such a module, without importing anything for it."""
    outer = module.rpartition(".")[0]
    if outer and outer not in sys.modules:
        return _exists(outer)
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _moved(put: Put) -> Iterator[Finding]:
    """Look at the value that a protected name has now."""
    module = sys.modules.get(put.module)
    if module is None:
        return
    found = lookup(module, put.name)
    file = file_of(module)
    if put.file and file and file != put.file:
        yield Finding(
            kind=FindingKind.SHADOWED,
            name=put.module,
            headline=f"{put.module} comes from another file than before",
            first=put.file,
            second=file,
            advice="remove one of the two files, or its folder from sys.path",
        )
    if found is MISSING or _is_bare(found) or clash(put.guarded, found):
        yield moved(put.module, put.name, describe(put.function), found)


def _is_bare(found: Any) -> bool:
    """Return whether a value is known to reach no guard.

    A proxy or a callable object may hold the guard, as a tracer's wrapper does.
    """
    is_known = found is None or id(type(found)) in _KNOWN
    return is_known and not reaches_guard(found)


def _doubled(put: Put) -> Iterator[Finding]:
    """Find the same file imported under another name, where no guard was put."""
    if not put.file:
        return
    real = os.path.realpath(put.file)
    for name, module in modules():
        file = file_of(module)
        if name == put.module or os.path.basename(file) != os.path.basename(put.file):
            continue
        found = lookup(module, put.name)
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
    """Find modules that imported a function before ``protect`` was called."""
    bare = {
        id(it.function): it for it in puts if it.late and it.guarded is not it.function
    }
    for name, module in modules() if bare else ():
        for attribute, value in list(namespace(module).items()):
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
