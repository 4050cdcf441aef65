"""Coroutines that only the recorded calls of mocks hold."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from types import AsyncGeneratorType, CellType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .survivors import Coroutine

# Each step visits every object of the process; one leak fails a test.
_MOST_ASKED = 10
_FARTHEST = 12
_MOST_HOLDERS = 2_000
# Unfinished code, such as a fixture before its teardown, may still read the
# arguments of the mock and await them.
_MAY_STILL_RUN = (AsyncGeneratorType, CellType, CoroutineType, GeneratorType)
_CONTAINERS = (dict, list, tuple)


def kept_by_mocks(coroutines: Sequence[Coroutine]) -> list[tuple[Coroutine, str]]:
    """Return the coroutines that only mocks hold, each with its mock.

    A coroutine is left out if anything else holds it, or if a waiting fixture or
    a closure can reach its mock: it may still be awaited. Only the first few
    coroutines are checked, so that a test that stores thousands is not slow.
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
    """Describe the mock that holds a coroutine, if nothing but mocks does."""
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
    """Return the holders of objects, and those of holders of the given types.

    By type, not ``isinstance``: the ``__class__`` of a mock may be any.
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
