"""Overrides of another colour than the method that they override."""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import MISSING, mro, namespace, own_dict, unbound
from ..._inspect.awaitables import class_of
from ..._inspect.colours import Colour, colour_of, plain_function
from ..findings import FindingKind
from .locations import place_of, report
from .plain_results import is_surely_async

if TYPE_CHECKING:
    from ..findings import Finding
    from .plain_results import Plainness

# Names of classes and modules that are async twins.
_NAMED_ASYNC = re.compile(r"[Aa]sync|\baio|\bAio|\bA[A-Z][a-z]")
_MOST_ODD = 2
# Instructions of code that does more than to raise, in 3.11 to 3.15.
_GOES_ON = ("RETURN_VALUE", "RETURN_CONST", "JUMP", "POP_JUMP", "SEND", "YIELD")


@dataclass(frozen=True, slots=True)
class _Override:
    """A method and the one it overrides."""

    name: str
    base: type
    inherited: Any
    own: Any
    changes: bool


def overrides(module: ModuleType, plainness: Plainness) -> Iterator[Finding]:
    """Yield the overrides of the module's classes that change the colour.

    Silent where a class is an async twin of its base on purpose: where its name
    is that of a twin and its base's is not, or where it changes the colour of most
    methods that it overrides.
    """
    for cls in _classes(module):
        found = list(_overrides(cls, plainness))
        for override in found:
            if override.changes and not _is_twin(cls, override.base, found):
                yield from _found(cls, override)


def _classes(module: ModuleType) -> Iterator[type]:
    """Yield the classes that the module defines, nested ones too."""
    waiting: list[Any] = list(namespace(module).values())
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if not issubclass(class_of(found), type) or id(found) in seen:
            continue
        seen.add(id(found))
        if own_dict(found).get("__module__") == namespace(module).get("__name__"):
            yield found
            waiting += own_dict(found).values()


def _overrides(cls: type, plainness: Plainness) -> Iterator[_Override]:
    for name, member in own_dict(cls).items():
        if name.startswith("__") and name != "__call__":
            continue
        base = next((it for it in mro(cls)[1:] if name in own_dict(it)), None)
        if base is None:
            continue
        own, inherited = unbound(member), unbound(own_dict(base)[name])
        if own is MISSING or inherited is MISSING or colour_of(own) is None:
            continue
        changes = _changes(inherited, own, name, plainness)
        yield _Override(name, base, inherited, own, changes)


def _changes(inherited: Any, own: Any, name: str, plainness: Plainness) -> bool:
    """Return whether callers of the base cannot use the override."""
    if is_surely_async(own) and is_surely_async(inherited):
        colours = colour_of(own), colour_of(inherited)
        return (
            colours[0] is not colours[1]
            and Colour.ASYNC_CONTEXT not in colours
            and not _only_raises(inherited)
        )
    if is_surely_async(own):
        return plainness.lacks(inherited) and not _is_placeholder(inherited, name)
    return is_surely_async(inherited) and plainness.lacks(own)


def _is_placeholder(inherited: Any, name: str) -> bool:
    """Return whether a base's method only refuses."""
    function = plain_function(inherited)
    return function is not None and function.__name__ != name


def _only_raises(method: Any) -> bool:
    """Return whether a method is left to subclasses: its code can only raise."""
    function = plain_function(method)
    if function is None:
        return False
    names = {it.opname for it in dis.get_instructions(function.__code__)}
    return "RAISE_VARARGS" in names and not any(
        name.startswith(_GOES_ON) for name in names
    )


def _is_twin(cls: type, base: type, found: list[_Override]) -> bool:
    """Return whether a class is meant to have another colour than its base."""
    if _is_named_async(cls) != _is_named_async(base):
        return True
    changed = [it for it in found if colour_of(it.own) is not colour_of(it.inherited)]
    return len(changed) > _MOST_ODD and 2 * len(changed) > len(found)


def _is_named_async(cls: type) -> bool:
    name = type.__dict__["__qualname__"].__get__(cls)
    text = f"{own_dict(cls).get('__module__', '')}.{name}"
    return _NAMED_ASYNC.search(text) is not None


def _found(cls: type, override: _Override) -> Iterator[Finding]:
    own = f"{cls.__qualname__}.{override.name}"
    base = f"{override.base.__qualname__}.{override.name}"
    before, after = colour_of(override.inherited), colour_of(override.own)
    return report(
        FindingKind.OVERRIDE,
        f"{cls.__module__}:{own}",
        f"{own} is {after} and overrides {base}, which is {before}",
        place_of(override.inherited),
        place_of(override.own),
        f"make {own} {before} as well, or give it a name of its own",
    )
