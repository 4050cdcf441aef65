"""The contents of containers and records, read without running code of theirs."""

from __future__ import annotations

import builtins
import sys
import types
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Callable, Iterable
from functools import partial
from gc import get_referents
from typing import Any, TypeVar

from .awaitables import (
    ATOMS,
    are_only,
    class_name,
    ids,
    kind_of_instances,
    mro,
    own_dict,
    own_state,
    per_class,
    static_type_attribute,
)
from .texts import Mark

#: Built-in values without an inside: atoms and text.
PLAIN = ATOMS | {str}
PLAIN_IDS = ids(*PLAIN)
#: ``frozendict``, where the interpreter has it (3.15); it is not a ``dict``.
FROZENDICT: type[Any] | None = getattr(builtins, "frozendict", None)

#: The slots of a pydantic model beside its ``__dict__``.
EXTRA, PRIVATE = "__pydantic_extra__", "__pydantic_private__"

_ITEM, _KEY, _THROUGH = Mark("<item>"), Mark("<key>"), Mark("")
_COPIES = 3
_T = TypeVar("_T")

Pairs = Iterable[tuple[object, object]]
_Opener = Callable[[Any, type[Any]], Pairs]


def opened(node: Any, kind: type[Any]) -> Pairs | None:
    """Return ``(step, child)`` of what a container holds, else ``None``.

    Raises:
        RuntimeError: Another thread changed it during each copy.
    """
    opener = _opener(kind)
    return None if opener is None else opener(node, kind)


@per_class
def _opener(kind: type) -> _Opener | None:
    """Return what opens the instances of a class, if they can be opened."""
    for base, opener in _EXACTLY:
        if kind is base:
            return opener
    bases = mro(kind)
    for base, opener in _BY_BASE:
        if any(it is base for it in bases):
            return opener
    for marker, opener in _BY_MARK:
        if static_type_attribute(kind, marker) is not None:
            return opener
    return None


#: The classes for which ``is_closed`` is known to be true, by their identities.
CLOSED: set[int] = set(PLAIN_IDS)


@partial(per_class, true=CLOSED)
def is_closed(kind: type) -> bool:
    """Return whether instances of a class cannot be awaited and are not opened."""
    if kind is types.GeneratorType:  # its code decides what it is
        return False
    return _opener(kind) is None and kind_of_instances(kind) is None


@per_class
def _slots(kind: type) -> list[tuple[int, list[str]]]:
    """Return the slots of instances: positions in the bases, and the names there.

    Their descriptors would keep the class alive.
    """
    found = [
        (depth, [name for name, it in own_dict(base).items() if _is_slot(it)])
        for depth, base in enumerate(mro(kind))
    ]
    return [(depth, names) for depth, names in found if names]


def _is_slot(found: object) -> bool:
    return type(found) is types.MemberDescriptorType


def _copy(read: Callable[[Any], Iterable[_T]], node: object) -> list[_T]:
    """Copy a container in one step, with a method of its built-in type.

    Raises:
        RuntimeError: Another thread changed it during each of three copies.
    """
    for _ in range(_COPIES - 1):
        try:
            return [*read(node)]
        except RuntimeError:
            continue
    return [*read(node)]


def _of_mapping(base: Any, node: object) -> Pairs:
    """Return values by key, and keys that are not plain."""
    pairs = _copy(base.items, node)
    if are_only(PLAIN, [key for key, _ in pairs]):
        return pairs
    found: list[tuple[object, object]] = []
    for key, child in pairs:
        if id(type(key)) in PLAIN_IDS:
            found.append((key, child))
        else:
            name = class_name(type(key))
            found += [(Mark(f"[<{name}>]"), child), (_KEY, key)]
    return found


def _of_tuple(node: Any, kind: type[Any]) -> Pairs:
    names = None if kind is tuple else static_type_attribute(kind, "_fields")
    if type(names) is tuple and len(names) == tuple.__len__(node):
        pairs = zip(names, tuple.__iter__(node), strict=True)
        return (((kind, name), child) for name, child in pairs)
    return enumerate(tuple.__iter__(node))


def _of_record(node: object, kind: type) -> Pairs:
    return [*_of_attributes(node, kind), *_of_slots(node, kind)]


def _of_attributes(node: object, kind: type) -> Pairs:
    return [((kind, name), child) for name, child in _copy(dict.items, own_state(node))]


def _of_slots(node: object, kind: type) -> Pairs:
    bases = mro(kind)
    for depth, names in _slots(kind):
        namespace: Any = own_dict(bases[depth])
        for name in names:
            slot = namespace.get(name)
            if type(slot) is types.MemberDescriptorType:
                try:
                    yield (kind, name), slot.__get__(node)
                except AttributeError:  # a slot that was never set
                    continue


def _of_model(node: object, kind: type) -> Pairs:
    """Yield the fields of a pydantic model, its extra and its private data."""
    yield from _of_attributes(node, kind)
    yield from _copy(dict.items, slot_of(node, EXTRA))  # data like any other
    for name, child in _copy(dict.items, slot_of(node, PRIVATE)):
        yield (kind, name), child


def slot_of(model: object, slot: str) -> dict[str, Any]:
    """Return the extra or the private data of a pydantic model."""
    descriptor = static_type_attribute(type(model), slot)
    if type(descriptor) is not types.MemberDescriptorType:
        return {}
    try:
        held = descriptor.__get__(model)
    except AttributeError:  # a model made by ``__new__`` alone
        return {}
    return held if type(held) is dict else {}


def _of_items(base: Any) -> _Opener:
    return lambda node, _: enumerate(_copy(base.__iter__, node))


def _of_set(base: Any) -> _Opener:
    return lambda node, _: [(_ITEM, child) for child in _copy(base.__iter__, node)]


def _of_mapping_class(node: object, kind: type) -> Pairs:
    return [*_of_mapping(dict, node), *_of_attributes(node, kind)]


def _of_proxy(node: object, _: type) -> Pairs:
    # Reading through the proxy would run the methods of a user's mapping.
    return [(_THROUGH, child) for child in get_referents(node)]


def _of_wrapped(node: object, _: type) -> Pairs:
    held = _of_mapping(dict, own_state(node))
    return [(_THROUGH, child) for _, child in held]


def _of_chain(node: object, _: type) -> Pairs:
    maps: Any = own_state(node).get("maps")
    return [(_THROUGH, child) for child in maps] if type(maps) is list else []


def _of_attribute(name: str) -> _Opener:
    return lambda node, _: [(name, getattr(node, name))]


_EXACTLY: list[tuple[Any, _Opener]] = [
    (dict, lambda node, _: _of_mapping(dict, node)),
    (types.MappingProxyType, _of_proxy),
    (types.SimpleNamespace, lambda node, _: _of_mapping(dict, own_state(node))),
]
_BY_BASE: list[tuple[Any, _Opener]] = [
    (list, _of_items(list)),
    (deque, _of_items(deque)),
    (dict, _of_mapping_class),
    (tuple, _of_tuple),
    (set, _of_set(set)),
    (frozenset, _of_set(frozenset)),
    (UserDict, _of_wrapped),
    (UserList, _of_wrapped),
    (ChainMap, _of_chain),
]
if FROZENDICT is not None:
    _BY_BASE.append((FROZENDICT, lambda node, _: _of_mapping(FROZENDICT, node)))
if sys.version_info >= (3, 14):
    from string.templatelib import Interpolation, Template

    _EXACTLY += [
        (Template, _of_attribute("interpolations")),
        (Interpolation, _of_attribute("value")),
    ]
_BY_MARK: list[tuple[str, _Opener]] = [
    ("__dataclass_fields__", _of_record),
    ("__attrs_attrs__", _of_record),
    ("__pydantic_core_schema__", _of_model),
]
