"""Which coroutines live, un-awaited, and which of them are older than this test?"""

from __future__ import annotations

import gc
import weakref
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Coroutine", "Survivors", "is_older", "make_older"]

Coroutine: TypeAlias = "CoroutineType[Any, Any, Any]"

# Coroutines are the process's, and so is what is known of them.
_older: dict[int, weakref.ref[Coroutine]] = {}
_dying: set[int] = set()


class Survivors:
    """The un-started coroutines that were made since this object was, and live.

    A new object is young to the garbage collector, so only the young are looked
    through, unless a collection has made some of them old meanwhile.
    """

    def __init__(self) -> None:
        self._passed = _collections()
        _dying.clear()

    def find(self) -> list[Coroutine]:
        """Return those that live now; the caller must let go of them soon."""
        ages = (0, 1) if _collections() == self._passed else (0, 1, 2)
        found: list[Coroutine] = []
        for age in ages:
            things: list[Any] = gc.get_objects(generation=age)
            found += [it for it in things if type(it) is CoroutineType and _is_new(it)]
        return found


def make_older(coroutines: Iterable[Coroutine]) -> None:
    """Do not blame what happens to these on a later test."""
    for coroutine in coroutines:
        key = id(coroutine)
        _older[key] = weakref.ref(coroutine, partial(_died, key))


def is_older(coroutine: Coroutine) -> bool:
    """Say whether a coroutine, alive or just dying, was made for an older test."""
    key = id(coroutine)
    if key in _dying:  # its weak reference died before it
        _dying.discard(key)
        return True
    known = _older.get(key)
    return known is not None and known() is coroutine


def _collections() -> tuple[int, ...]:
    """Return how often the collector has made what was young old."""
    return tuple(age["collections"] for age in gc.get_stats()[1:])


def _died(key: int, _: object) -> None:
    _older.pop(key, None)
    _dying.add(key)


def _is_new(coroutine: Any) -> bool:
    return getcoroutinestate(coroutine) == CORO_CREATED and not is_older(coroutine)
