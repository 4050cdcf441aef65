"""Unwrapping of callables, layer by layer."""

from __future__ import annotations

import functools
from types import MethodType
from typing import Any

import pytest
import wrapt

from coroguard import guard
from coroguard._inspect import callables
from coroguard._inspect.callables import layers, unwrap


def check() -> bool:
    return True


@functools.wraps(check)
def copied() -> bool:
    return check()


class Claims:
    """An object that claims to be a partial, as a proxy of one does."""

    __class__: Any = functools.partial
    func = staticmethod(check)


WRAPPED: dict[str, tuple[Any, tuple[callables.Layer, ...]]] = {
    "a partial": (functools.partial(check), callables.PARTIALS),
    "a claimed partial": (Claims(), callables.CLAIMED),
    "a static method": (staticmethod(check), callables.BINDINGS),
    "a class method": (classmethod(check), callables.BINDINGS),  # type: ignore[arg-type]
    "a method": (MethodType(check, 1), callables.METHODS),
    "a guard": (guard(check), callables.GUARDS),
    "a static guard": (staticmethod(guard(check)), callables.GUARDS),
    "a guard of a partial": (
        guard(functools.partial(check)),
        (*callables.PROXIES, *callables.PARTIALS),
    ),
    "a copy": (copied, callables.COPIES),
    "a cache": (functools.lru_cache(check), callables.ACCESSORS),
    "a property": (property(check), callables.ACCESSORS),
    "a cached property": (functools.cached_property(check), callables.ACCESSORS),
    "a partial method": (functools.partialmethod(check), callables.ACCESSORS),
    "a cache, by its attribute": (functools.lru_cache(check), callables.HOLDERS),
    "any wrapper": (functools.lru_cache(check), callables.WRAPPERS),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_layer_is_looked_behind(kind: str) -> None:
    """Each kind of layer gives the callable that it calls."""
    target, through = WRAPPED[kind]
    assert unwrap(target, through=through) is check


def test_a_lazy_proxy_is_not_loaded() -> None:
    """What loads its target when it is asked for an attribute is not looked behind."""
    loaded: list[bool] = []

    def load() -> Any:
        loaded.append(True)
        return copied

    lazy = wrapt.LazyObjectProxy(load)
    assert unwrap(lazy, through=callables.HOLDERS) is lazy
    assert loaded == []


def test_layers_come_in_any_order() -> None:
    """Layers of several kinds are looked behind in the order in which they lie."""
    inner = staticmethod(check)
    outer = functools.partial(inner)
    through = (*callables.BINDINGS, *callables.PARTIALS)
    assert list(layers(outer, through=through)) == [outer, inner, check]


def test_other_layers_stay() -> None:
    """A layer that was not asked for hides what it calls."""
    target = functools.partial(staticmethod(check))
    assert unwrap(target, through=callables.BINDINGS) is target


def test_a_claim_is_not_a_class() -> None:
    """An object that only claims a class is not asked for what it calls."""
    target = Claims()
    assert unwrap(target, through=callables.PARTIALS) is target


def test_a_function_that_wraps_itself_ends() -> None:
    """A cycle of wrappers does not go on for ever."""

    def turns() -> None: ...

    turns.__dict__["__wrapped__"] = turns
    assert unwrap(turns, through=callables.COPIES) is turns
