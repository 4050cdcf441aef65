"""Coroutines that live un-started, and the test that each was made in."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import Any, TypeAlias

Coroutine: TypeAlias = "CoroutineType[Any, Any, Any]"

#: Whether the interpreter frees a coroutine in the test that drops it, and lists those
#: that live. PyPy does neither, so a drop there would be blamed on a later test.
ARE_KNOWN = hasattr(gc, "is_finalized")
# An object is young until two collections have passed it over. The young are few,
# so they can be looked through after each test. The whole heap is walked only after
# a collection that made un-started coroutines without owner old, which is rare.
#
# Weak references to them would be simpler, but are not safe. A coroutine that is
# being dropped is among the objects that ``gc`` returns, nothing marks it, and its
# weak references have been cleared already: one that is made now stays behind when
# its memory is freed, and the interpreter crashes.
_YOUNG = (0, 1) if ARE_KNOWN else ()
_some_are_old = False


class _Owner:
    """A test, for as long as a coroutine that it answers for lives."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Owned(str):
    """The qualified name of a coroutine that a test answers for.

    The mark is on the coroutine itself: an address may belong to another one by
    the time it is dropped, and a weak reference has died by then.
    """

    owner: _Owner

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("".join(self),)


_owners: weakref.WeakValueDictionary[str, _Owner] = weakref.WeakValueDictionary()


def begin() -> bool:
    """Note the coroutines that live now, and keep track of the later ones.

    Calling it again changes nothing.

    Returns:
        Whether drops belong to the test in which they happen, on this interpreter.
    """
    if ARE_KNOWN and _before_collection not in gc.callbacks:
        gc.callbacks.append(_before_collection)
        assign(_unowned(gc.get_objects()), "")
    return ARE_KNOWN


def find() -> list[Coroutine]:
    """Return the live un-started coroutines without owner; do not keep them."""
    global _some_are_old
    if _some_are_old:
        found = _unowned(gc.get_objects())
        _some_are_old = bool(found)
        return found
    young = [it for age in _YOUNG for it in _unowned(gc.get_objects(generation=age))]
    return list({id(it): it for it in young}.values())


def assign(coroutines: Iterable[Coroutine], owner: str) -> None:
    """Attribute leaks of these coroutines to their owner only."""
    known = _owners.setdefault(owner, _Owner(owner))
    for coroutine in coroutines:
        coroutine.__qualname__ = name = _Owned(coroutine.__qualname__)
        name.owner = known


def has_survivors(owner: str) -> bool:
    """Return whether a coroutine of an owner lives."""
    return owner in _owners


def owner_of(coroutine: Coroutine) -> str | None:
    """Return the owner of a coroutine, alive or being finalized, or ``None``."""
    name = coroutine.__qualname__
    return name.owner.name if isinstance(name, _Owned) else None


def unstarted(things: Iterable[Any]) -> list[Coroutine]:
    """Return the coroutines among some things that have not started.

    One that was dropped already, and is only kept by the warning about it, is not
    among them.
    """
    made = [it for it in things if type(it) is CoroutineType]
    return [
        it
        for it in made
        if getcoroutinestate(it) == CORO_CREATED and not gc.is_finalized(it)
    ]


def _unowned(things: Iterable[Any]) -> list[Coroutine]:
    return [it for it in unstarted(things) if owner_of(it) is None]


def _before_collection(phase: str, info: dict[str, int]) -> None:
    """Note whether this collection makes a coroutine without owner old."""
    global _some_are_old
    if phase == "start" and info["generation"] >= max(_YOUNG) and not _some_are_old:
        ages = (_unowned(gc.get_objects(generation=age)) for age in _YOUNG)
        _some_are_old = any(ages)
