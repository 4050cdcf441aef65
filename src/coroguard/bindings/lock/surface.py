"""The functions that a package offers, and what their names refer to."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import own_dict
from ..._inspect.awaitables import class_of, static_type_attribute
from ..._inspect.callables import (
    ACCESSORS,
    BINDINGS,
    HOLDERS,
    METHODS,
    is_guarded,
    layers,
    unwrap,
)
from ..._inspect.colours import plain_function

if TYPE_CHECKING:
    from ..modules import Loaded

_FUNCTIONS: tuple[Any, ...] = (
    *(FunctionType, MethodType, staticmethod, classmethod, functools.partial),
)
_KEEP_NAMES = (*BINDINGS, *METHODS, *HOLDERS)


def surface_of(packages: Iterable[Loaded]) -> dict[str, Any]:
    """Return each public function and method, and each guarded one, by name.

    A name is public where no part of it starts with an underscore. It counts
    where it was defined, and where it was passed on: by ``__all__``, or by a
    package that takes it from a private module of its own.

    Returns:
        The functions as they are bound, by ``module:qualified.name``, sorted;
        what a property or a cache stands for in its stead.
    """
    packages = list(packages)
    roots = {package.name for package in packages}
    found: dict[str, Any] = {}
    for package in packages:
        for name, module in package.modules.items():
            found.update(_functions(name, module, roots))
    return {
        name: found[name]
        for name in sorted(found)
        if _is_public(name) or guard_on(found[name]) is not None
    }


def look_up(name: str, modules: Mapping[str, ModuleType]) -> Any:
    """Return what ``module:qualified.name`` resolves to; ``None`` if nowhere."""
    module_name, _, path = name.partition(":")
    first, *rest = path.split(".")
    module = modules.get(module_name)
    found: Any = None
    if module is not None:
        found = dict(_bound(module, also=first)).get(first)
    for part in rest:
        is_class = issubclass(class_of(found), type)
        found = static_type_attribute(found, part) if is_class else None
    return unwrap(found, through=ACCESSORS)


def guard_on(function: Any) -> Any:
    """Return the guard on a function, also below decorators that kept its name."""
    return next(filter(is_guarded, layers(function, through=_KEEP_NAMES)), None)


def _functions(
    name: str, module: ModuleType, roots: Collection[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the functions that a module defines or passes on."""
    exported = _exported(module)
    for attribute, value in _bound(module):
        is_class = issubclass(class_of(value), type)
        function = None if is_class else unwrap(value, through=ACCESSORS)
        if not (is_class or _is_function(function)):
            continue
        passed_on = attribute in exported or (
            hasattr(module, "__path__") and not _is_public(_home(value))
        )
        if _home(value) == name or (passed_on and _is_within(_home(value), roots)):
            pass
        elif is_class or not _is_made_anew(function):
            continue
        if is_class:
            yield from _methods(f"{name}:{attribute}", value, roots)
        else:
            yield f"{name}:{attribute}", function


def _methods(
    prefix: str, kind: Any, roots: Collection[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the functions in a class's own body, and in classes defined there."""
    for attribute, value in own_dict(kind).copy().items():
        if issubclass(class_of(value), type):
            if value.__qualname__ == f"{kind.__qualname__}.{attribute}":
                yield from _methods(f"{prefix}.{attribute}", value, roots)
            continue
        function = unwrap(value, through=ACCESSORS)
        if _is_function(function) and (
            _is_within(_home(function), roots) or _is_made_anew(function)
        ):
            yield f"{prefix}.{attribute}", function


def _bound(module: ModuleType, also: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the names of a module, and those that its ``__getattr__`` resolves."""
    names = vars(module).copy()
    yield from names.items()
    lazy = {also, *_exported(module)} if "__getattr__" in names else ()
    for name in sorted({*lazy} - names.keys() - {""}):
        with contextlib.suppress(Exception):  # an optional part that is not there
            yield name, getattr(module, name)


def _exported(module: ModuleType) -> set[str]:
    """Return the names in ``__all__`` that are text."""
    names: Any = vars(module).get("__all__")
    is_list = issubclass(class_of(names), (list, tuple))
    return {name for name in names if isinstance(name, str)} if is_list else set()


def _is_function(value: Any) -> bool:
    is_kind = issubclass(class_of(value), _FUNCTIONS) or is_guarded(value)
    return is_kind and plain_function(value) is not None


def _is_made_anew(function: Any) -> bool:
    """Return whether a function's own name does not show where it was defined."""
    function = unwrap(function, through=BINDINGS)
    if issubclass(class_of(function), functools.partial):
        return True
    return "<locals>" in getattr(function, "__qualname__", "")


def _home(value: Any) -> str:
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def _is_within(module: str, roots: Collection[str]) -> bool:
    return any(module == root or module.startswith(f"{root}.") for root in roots)


def _is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in re.split(r"[.:]", name))
