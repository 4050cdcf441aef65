"""Which coroutines does nothing hold but the memory of a mock?"""

from __future__ import annotations

import gc
import sys
from types import AsyncGeneratorType, CellType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .survivors import Coroutine

__all__ = ["kept_by_mocks"]

# Each step asks every object of the process; one leak is enough to fail a test.
_MOST_ASKED = 10
_FARTHEST = 12
_MOST_HOLDERS = 2_000
# Code that is not finished, such as a fixture before its teardown: it may yet
# read what the mock was called with, and await it.
_MAY_STILL_RUN = (AsyncGeneratorType, CellType, CoroutineType, GeneratorType)
_CONTAINERS = (dict, list, tuple)


def kept_by_mocks(coroutines: Sequence[Coroutine]) -> list[tuple[Coroutine, str]]:
    """Find the coroutines that only mocks hold, and say which mock it is.

    One that anything else holds, or whose mock a waiting fixture or a closure
    can reach, is left out: somebody may still await it. Only the first few
    coroutines are looked at, so that a test that stores thousands is not slow.
    """
    mock = sys.modules.get("unittest.mock")
    if mock is None:
        return []
    asked = coroutines[:_MOST_ASKED]
    keepers = [_keeper(it, mock.NonCallableMock, (coroutines, asked)) for it in asked]
    return [
        (coroutine, keeper)
        for coroutine, keeper in zip(asked, keepers, strict=True)
        if keeper
    ]


def _keeper(coroutine: Coroutine, mocks: type[Any], ours: tuple[object, ...]) -> str:
    """Name the mock that holds a coroutine, if nothing but mocks does."""
    seen = {id(coroutine), *map(id, ours)}
    keepers: list[object] = []
    for holder in _climb([coroutine], _CONTAINERS, seen):
        if issubclass(type(holder), mocks):
            keepers.append(holder)
        elif not issubclass(type(holder), _CONTAINERS):
            return ""
    if not keepers or len(seen) > _MOST_HOLDERS:
        return ""
    above = _climb(keepers, (*_CONTAINERS, mocks), seen | {id(keepers)})
    if any(issubclass(type(holder), _MAY_STILL_RUN) for holder in above):
        return ""
    return _named(keepers[0])


def _climb(
    things: list[object], through: tuple[type[Any], ...], seen: set[int]
) -> list[object]:
    """Return what holds some things, and what holds the holders of some types.

    Types are asked, and not ``isinstance``: a mock's ``__class__`` may be any.
    """
    level, found = things, list[object]()
    for _ in range(_FARTHEST):
        if not level or len(seen) > _MOST_HOLDERS:
            break
        seen |= {id(level), id(found)}
        holders = [it for it in gc.get_referrers(*level) if id(it) not in seen]
        seen.update(map(id, holders))
        seen.add(id(holders))
        found += holders
        level = [it for it in holders if issubclass(type(it), through)]
    return found


def _named(mock: Any) -> str:
    name = mock._extract_mock_name()
    kind = type(mock).__name__
    return f"kept by a {kind}" + ("" if name == "mock" else f" named {name!r}")
