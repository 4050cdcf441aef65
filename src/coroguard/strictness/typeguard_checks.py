"""Judgement of values by typeguard, without its settings and its side effects."""

# Only public names of typeguard are used. Its own configuration, which is the
# process's, is neither read nor changed.

from __future__ import annotations

import collections
import importlib.metadata
import threading
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Protocol, Self, Unpack, get_origin

from .._inspect.attributes import MISSING, member, own_state
from .._inspect.awaitables import ids, is_stand_in, kind_of, static_type_attribute
from .._leaks.errors import GuardUsageError

try:
    from typeguard import (
        CollectionCheckStrategy,
        ForwardRefPolicy,
        TypeCheckConfiguration,
        TypeCheckerCallable,
        TypeCheckError,
        TypeCheckMemo,
        check_type_internal,
        checker_lookup_functions,
    )
except ImportError as error:
    raise GuardUsageError(
        f"strict packages cannot work with typeguard "
        f"{importlib.metadata.version('typeguard')} ({error}); "
        "run pip install 'typeguard>=4.6,<5'",
        code="CG221",
    ) from None

_CONFIGURATION = TypeCheckConfiguration(
    forward_ref_policy=ForwardRefPolicy.IGNORE,
    collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS,
)
#: Containers that Python itself iterates; others may do anything when they are.
_PLAIN = ids(
    *(dict, list, tuple, set, frozenset, collections.deque, collections.Counter),
    *(collections.OrderedDict, collections.defaultdict),
)
_checking = threading.local()


def mismatch(value: object, annotation: Any, names: dict[str, Any]) -> str | None:
    """Return the fault of a value, ``None`` if none is known.

    Args:
        value: Any value; a stand-in for another object is not asked.
        annotation: An evaluated annotation.
        names: The globals of the annotation's module.

    Raises:
        Exception: The annotation cannot be judged; of any kind.
    """
    if is_stand_in(value):
        return None
    memo = TypeCheckMemo(names, {}, config=_CONFIGURATION)
    if _lookup not in checker_lookup_functions:
        checker_lookup_functions.insert(0, _lookup)
    was, _checking.now = getattr(_checking, "now", False), True
    try:
        check_type_internal(value, annotation, memo)
    except TypeCheckError as error:
        return str(error)
    finally:
        _checking.now = was
    return None


def type_error(text: str) -> TypeCheckError:
    """Return the error that typeguard's own hook would raise."""
    return TypeCheckError(text)


def _lookup(
    origin: Any, args: tuple[Any, ...], extras: tuple[Any, ...]
) -> TypeCheckerCallable | None:
    """Return our checker of a type, ``None`` outside of our own checks."""
    if not getattr(_checking, "now", False):
        return None
    if origin is Any or isinstance(origin, str):
        return _allow
    if origin is Self:
        return _self
    if origin is type and any(isinstance(it, str) for it in args):
        return _kind_only
    if origin is Callable:
        return _callable
    if origin is tuple and any(_is_variadic(it) for it in args):
        return _kind_only
    if isinstance(origin, type):
        if Protocol in origin.__bases__:
            return _protocol
        if issubclass(origin, Iterable) and args:
            return _container(origin, args, extras)
    return None


def _container(
    origin: type, args: tuple[Any, ...], extras: tuple[Any, ...]
) -> TypeCheckerCallable | None:
    """Look into plain containers only; to iterate others may run anything."""
    inner = _next_checker(origin, args, extras)
    if inner is None:
        return None

    def check(value: Any, kind: Any, arguments: tuple[Any, ...], memo: Any) -> None:
        if id(type(value)) in _PLAIN:
            inner(value, kind, arguments, memo)
        else:
            _kind_only(value, kind, arguments, memo)

    return check


def _next_checker(
    origin: Any, args: tuple[Any, ...], extras: tuple[Any, ...]
) -> TypeCheckerCallable | None:
    for lookup in checker_lookup_functions:
        if lookup is not _lookup:
            found: TypeCheckerCallable | None = lookup(origin, args, extras)
            if found is not None:
                return found
    return None


def _allow(*_: Any) -> None:
    """Check nothing: typeguard cannot read such an annotation."""


def _kind_only(value: Any, origin: Any, *_: Any) -> None:
    if not isinstance(value, origin):
        raise TypeCheckError(f"is not an instance of {origin.__name__}")


def _self(value: Any, *_: Any) -> None:
    if kind_of(value) is not None:
        raise TypeCheckError("is not an instance of Self")


def _callable(value: Any, *_: Any) -> None:
    if not callable(value):
        raise TypeCheckError("is not callable")


def _protocol(value: Any, origin: Any, *_: Any) -> None:
    """Check the members of a protocol without reading any."""
    if isinstance(value, (type, ModuleType)):
        return
    kind: type[Any] = type(value)
    if static_type_attribute(kind, "__getattr__") is not None:
        return
    own = own_state(value)
    for name in sorted(_members(origin)):
        if name not in own and member(kind, name) is MISSING:
            raise TypeCheckError(
                f"is not compatible with the {origin.__qualname__} protocol because "
                f"it has no attribute named {name!r}"
            )


def _members(protocol: Any) -> set[str]:
    found = getattr(protocol, "__protocol_attrs__", None)  # since Python 3.12
    if found is None:
        found = {
            name
            for base in protocol.__mro__
            if Protocol in base.__bases__
            for name in (*vars(base), *vars(base).get("__annotations__", ()))
            if not name.startswith(("_abc_", "_is_")) and name not in _OF_EVERY
        }
    return set(found)


class _Empty(Protocol):
    """A protocol without members."""


_OF_EVERY = frozenset((*vars(_Empty), "__slots__", "__annotations__", "__orig_bases__"))


def _is_variadic(argument: Any) -> bool:
    """Return whether an argument of ``tuple`` stands for any number of items."""
    return get_origin(argument) is Unpack or getattr(argument, "__unpacked__", False)
