"""Coroutines that live un-started, and the test that each was made in."""

from __future__ import annotations

import gc
import weakref
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias

from .._runtime.drops import is_being_dropped

if TYPE_CHECKING:
    from collections.abc import Iterable

Coroutine: TypeAlias = "CoroutineType[Any, Any, Any]"

# An object is young until two collections have passed it over. The young are few,
# so they can be looked through after each test; what lives longer is noted before
# the collection that makes it old, so that nobody ever walks the whole heap for it.
_YOUNG = (0, 1)
_grown: weakref.WeakSet[Coroutine] = weakref.WeakSet()
_owned: weakref.WeakSet[Coroutine] = weakref.WeakSet()


class _Owned(str):
    """The qualified name of a coroutine that a test answers for.

    The mark is on the coroutine itself: an address may belong to another one by
    the time it is dropped, and a weak reference has died by then.
    """

    owner = ""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("".join(self),)


def begin() -> None:
    """Note the coroutines that live now, and keep track of the later ones.

    Calling it again changes nothing.
    """
    if _before_collection not in gc.callbacks:
        gc.callbacks.append(_before_collection)
        assign(_unowned(gc.get_objects()), "")


def find() -> list[Coroutine]:
    """Return the live un-started coroutines without owner; do not keep them."""
    young = [it for age in _YOUNG for it in _unowned(gc.get_objects(generation=age))]
    return list({id(it): it for it in (*_unowned(list(_grown)), *young)}.values())


def assign(coroutines: Iterable[Coroutine], owner: str) -> None:
    """Let what happens to these coroutines concern no test but their owner."""
    for coroutine in coroutines:
        coroutine.__qualname__ = name = _Owned(coroutine.__qualname__)
        name.owner = owner
        _owned.add(coroutine)


def has_survivors(owner: str) -> bool:
    """Return whether an un-started coroutine of an owner lives."""
    return any(owner_of(it) == owner for it in unstarted(list(_owned)))


def owner_of(coroutine: Coroutine) -> str | None:
    """Return who owns a coroutine, alive or just dying; ``None`` for nobody."""
    name = coroutine.__qualname__
    return name.owner if isinstance(name, _Owned) else None


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
    """Note the coroutines that this collection makes old."""
    if phase == "start" and info["generation"] >= max(_YOUNG):
        for age in _YOUNG:
            found = _unowned(gc.get_objects(generation=age))
            _grown.update(it for it in found if not is_being_dropped(it))
