"""Callables: their names and colours, what they wrap, and guards on them."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from types import CellType, FunctionType, MethodType
from typing import Any, NamedTuple

from .awaitables import (
    class_of,
    is_stand_in,
    module_name,
    mro,
    own_state,
    static_type_attribute,
)

#: The free variable of a guard's wrapper that holds its hooks. It is not an
#: identifier, so that no function of the user's has one of this name.
MARK = "<coroguard>"
#: The same in a guard that takes no drops.
QUIET_MARK = "<coroguard, dropped=False>"
_MARKS = frozenset((MARK, QUIET_MARK))
#: The attribute of a guard that holds its terms.
TERMS = "__coroguard__"
_BINDING: tuple[Any, ...] = (staticmethod, classmethod)
_CACHE: type[Any] = type(functools.lru_cache(lambda: None))
_FARTHEST = 64


class Layer(NamedTuple):
    """A kind of object that calls another one.

    Args:
        is_one: Return whether an object is of this kind.
        inner: Return the object that it calls.
    """

    is_one: Callable[[Any], bool]
    inner: Callable[[Any], Any]


def _layer(kind: type[Any], attribute: str) -> Layer:
    """Return the layer of a built-in class; no code of a subclass runs."""
    inner = kind.__dict__[attribute].__get__
    return Layer(lambda it: issubclass(type(it), kind), inner)


PARTIALS = (_layer(partial, "func"),)
BINDINGS = (_layer(staticmethod, "__func__"), _layer(classmethod, "__func__"))
METHODS = (_layer(MethodType, "__func__"),)
#: The same by the class that an object claims: a method that a tracer has wrapped
#: only looks like one.
CLAIMED = (
    Layer(lambda it: isinstance(it, partial), attrgetter("func")),
    Layer(lambda it: isinstance(it, _BINDING), attrgetter("__func__")),
)
#: Guards, also behind a static or class method.
GUARDS = (Layer(lambda it: is_guarded(it), attrgetter("__wrapped__")),)
#: The modules of wrapt's proxies, in Python and in C.
_OF_WRAPT = ("wrapt", "_wrappers")
#: The proxies of wrapt, also of subclasses, such as guards.
PROXIES = (
    Layer(
        lambda it: any(
            module_name(base).partition(".")[0] in _OF_WRAPT for base in mro(type(it))
        ),
        attrgetter("__wrapped__"),
    ),
)
#: Python functions that ``functools.wraps`` made from others.
COPIES = (
    Layer(
        lambda it: type(it) is FunctionType and "__wrapped__" in it.__dict__,
        attrgetter("__wrapped__"),
    ),
)
#: All objects that have a ``__wrapped__`` among their own attributes.
HOLDERS = (
    Layer(
        lambda it: not is_stand_in(it) and "__wrapped__" in own_state(it),
        lambda it: own_state(it)["__wrapped__"],
    ),
)
#: Anything with a ``__wrapped__``, as in ``inspect.unwrap``; may run its code.
WRAPPERS = (Layer(lambda it: hasattr(it, "__wrapped__"), attrgetter("__wrapped__")),)
#: Objects that a class has in the place of a method.
ACCESSORS = (
    _layer(property, "fget"),
    Layer(
        lambda it: issubclass(
            type(it), (functools.cached_property, functools.partialmethod)
        ),
        attrgetter("func"),
    ),
    Layer(
        lambda it: issubclass(type(it), _CACHE),
        attrgetter("__wrapped__"),
    ),
)


def layers(target: Any, *, through: tuple[Layer, ...]) -> Iterator[Any]:
    """Yield a callable and, one after the other, what is behind its layers."""
    for _ in range(_FARTHEST):
        yield target
        for layer in through:
            if layer.is_one(target):
                target = layer.inner(target)
                break
        else:
            return


def unwrap(target: Any, *, through: tuple[Layer, ...]) -> Any:
    """Return the object behind layers of these kinds, in any order."""
    for innermost in layers(target, through=through):
        target = innermost
    return target


def original_of(function: FunctionType) -> Any:
    """Return what ``functools.wraps`` made a function look like, or ``None``."""
    return function.__dict__.get("__wrapped__")


def is_async(target: object) -> bool:
    """Return whether calling ``target`` makes a coroutine.

    ``__wrapped__`` does not count: a sync wrapper around an async function is
    sync, and what it returns is judged as such.
    """
    target = unwrap(target, through=CLAIMED)
    if inspect.iscoroutinefunction(target):
        return True
    if isinstance(target, (FunctionType, MethodType)):
        return False
    # Not callable(): the colour is that of the function that the class would run.
    return inspect.iscoroutinefunction(getattr(type(target), "__call__", None))  # noqa: B004


def makes_coroutine(target: object) -> bool:
    """Return whether a call makes a coroutine before any code of ``target`` runs."""
    return is_async(target) and not is_marked_async(target)


def is_marked_async(function: Any) -> bool:
    """Return whether a sync function is marked as returning a coroutine."""
    if class_of(function) is not FunctionType:
        return False
    if function.__code__.co_flags & inspect.CO_COROUTINE:
        return False
    if inspect.iscoroutinefunction(function):
        return True
    # The mark of asyncio, which Python's own doubles have before 3.12.
    mark = getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)
    return mark is not None and function.__dict__.get("_is_coroutine") is mark


def name_of(target: Any) -> str:
    """Return the qualified name of a callable, or of its class."""
    target = unwrap(target, through=CLAIMED)
    return getattr(target, "__qualname__", None) or type(target).__qualname__


def is_guarded(target: Any) -> bool:
    """Return whether this is a guard, or the static or class method of one."""
    return guard_of(target) is not None


def guard_of(target: Any) -> Any:
    """Return the ``Terms`` of the guard on a callable, or ``None``.

    A copy of a guard's attributes, as ``functools.wraps`` makes, is not a guard.
    """
    target = unwrap(target, through=BINDINGS)
    kind = class_of(target)
    if kind is FunctionType:
        is_copy = _MARKS.isdisjoint(target.__code__.co_freevars)
        return None if is_copy else target.__dict__.get(TERMS)
    if isinstance(static_type_attribute(kind, TERMS), property):
        return target.__coroguard__
    return None


def reaches_guard(target: Any) -> bool:
    """Return whether a callable is a guard or calls one that it closes over.

    A decorator on top of a guard does not take it away.
    """
    waiting, seen = [target], set[int]()
    while waiting and len(seen) < _FARTHEST:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if is_guarded(one):
            return True
        kind = class_of(one)
        if issubclass(kind, partial):
            waiting.append(one.func)
        elif issubclass(kind, _BINDING):
            waiting.append(one.__func__)
        elif kind is FunctionType:
            waiting += closure_of(one).values()
            waiting.append(original_of(one))
    return False


def closure_of(function: FunctionType) -> dict[str, Any]:
    """Return the free variables of a function that are set."""
    cells: tuple[CellType, ...] = function.__closure__ or ()
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return found
