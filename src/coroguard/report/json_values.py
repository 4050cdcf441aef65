"""JSON values, and the search for anything else inside a value."""

# Pure: depth costs no stack, and no code of a value is called. Even
# ``isinstance`` would ask an object for its ``__class__``.

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import isfinite
from sys import maxsize
from types import AsyncGeneratorType, CoroutineType, NoneType
from typing import Any, Final, NamedTuple, TypeAlias, cast

from .._inspect.awaitables import class_name, ids, is_kind, own_state, what_is
from .._inspect.contents import EXTRA, FROZENDICT, PRIVATE, Pairs, slot_of
from .._inspect.values import Walk

Path: TypeAlias = tuple[str | int, ...]

#: The real class. A test that freezes the clock replaces it in each module that has
#: it under a name, so it is in a tuple; and the clock may be frozen already.
DATETIME: Final = tuple(
    cast("type[datetime]", kind)
    for kind in datetime.__mro__
    if kind.__module__ == "datetime" and kind.__name__ == "datetime"
)

#: Classes that become JSON objects: ``dict``, and ``frozendict`` from 3.15 on.
MAPPINGS: Final = (dict,) if FROZENDICT is None else (dict, FROZENDICT)
_EXACT: Final = ids(str, int, bool, NoneType)


def noun(value: object) -> str:
    """Return the type of a value, and the function of a coroutine."""
    kind = type(value)
    if kind is CoroutineType or kind is AsyncGeneratorType:
        name = cast("Any", value).__qualname__
        return f"{kind.__name__.replace('_', ' ')} {name!r}"
    return class_name(kind)


def is_exact_json(containers: list[Any]) -> bool:
    """Return whether these hold built-in JSON types only, without a cycle.

    Args:
        containers: Plain dictionaries and lists. The list is used up.
    """
    root = [*containers]
    leaves: dict[int, bool] = {}
    shares = False
    for container in containers:  # grows while it is read
        if id(container) in leaves:
            shares = shares or not leaves[id(container)]
            continue
        size = len(containers)
        if not _keep_inside(container, containers):
            return False
        leaves[id(container)] = size == len(containers)
    return not shares or not any(json_faults(root))  # sharing may be a cycle


def _keep_inside(container: dict[Any, Any] | list[Any], containers: list[Any]) -> bool:
    """Add the containers inside; return whether the rest is JSON as well."""
    items: Iterable[Any] = container
    if type(container) is dict:
        fields: dict[Any, Any] = container
        for key in fields:
            if type(key) is not str:
                return False
        items = fields.values()
    for item in items:
        kind = type(item)  # pyright: ignore[reportUnknownVariableType]
        if kind is str or kind is bool or kind is int or item is None:
            continue  # as in is_exact_leaf, whose call costs more than the rest
        if kind is dict or kind is list:
            containers.append(item)
        elif not is_exact_leaf(item):
            return False
    return True


def is_exact_leaf(item: Any) -> bool:
    """Return whether this is a built-in JSON value that holds no other."""
    kind = type(item)  # pyright: ignore[reportUnknownVariableType]
    if kind is str or kind is bool or kind is int or item is None:
        return True
    return kind is float and isfinite(item)


def json_faults(root: object) -> Iterator[tuple[Path, str, object]]:
    """Yield the objects that are not JSON values: path, reason, object.

    Subclasses of the built-in types are JSON values where ``json.dumps`` writes
    them (string enumerations, ordered dictionaries, named tuples); NaN is not one.
    """
    walk = _walk(root)
    for item in walk:
        if reason := _reason(item, walk):
            yield _path(walk), reason, _seen(item)


def awaitables(root: object, *within: type) -> Iterator[tuple[Path, object]]:
    """Yield awaitables at any depth, also in all attributes of these models."""
    walk = _walk(root, *within)
    for item in walk:
        if what_is(_seen(item)):
            yield _path(walk), _seen(item)


class _Key(NamedTuple):
    """A key that is not a string of its mapping."""

    key: object


def _walk(root: object, *within: type) -> Walk:
    """Return a walk over a value and the items of its containers."""

    def opener(item: object, kind: type) -> Pairs | None:
        if kind is _Key:
            return None
        if is_kind(item, *MAPPINGS):
            return _entries(items_of(item))
        if is_kind(item, list):
            return enumerate([*list[Any].__iter__(cast("list[Any]", item))])
        if is_kind(item, tuple):
            return enumerate(tuple[Any, ...].__iter__(cast("tuple[Any, ...]", item)))
        if within and is_kind(item, *within):
            return _entries([*fields_of(item).items(), *slot_of(item, PRIVATE).items()])
        return None

    return Walk([root], opener=opener, atoms=_EXACT, limit=maxsize)


def _entries(items: list[tuple[Any, Any]]) -> Iterator[tuple[str, object]]:
    """Yield values by key, and keys that are not exactly a string."""
    for key, child in items:
        if type(key) is str:
            yield key, child
        else:
            step = f"<{noun(key)}>"
            yield step, _Key(key)
            yield step, child


def _path(walk: Walk) -> Path:
    return tuple(cast("list[str | int]", walk.steps[1:]))


def _seen(item: object) -> object:
    return item.key if type(item) is _Key else item


def items_of(mapping: object) -> list[tuple[Any, Any]]:
    """Return the items of a mapping, read by its built-in type's method."""
    base: Any = dict if is_kind(mapping, dict) else FROZENDICT
    return list(base.items(mapping))


def fields_of(model: object) -> dict[str, Any]:
    """Return the fields and extra fields of a pydantic model as they are now."""
    return own_state(model) | slot_of(model, EXTRA)


def _reason(item: object, walk: Walk) -> str:
    """Return why this is not a JSON value, or ``""`` if it is one."""
    if type(item) is _Key:
        if is_kind(item.key, str) and not what_is(item.key):
            return ""
        return f"should be a str as key, got {noun(item.key)}"
    if what_is(item):
        return f"should be a JSON value, got {noun(item)}"
    if is_kind(item, *MAPPINGS, list, tuple):
        return "contains itself" if walk.is_inside(item) else ""
    if is_kind(item, float):
        return "" if isfinite(cast("float", item)) else "should be a finite number"
    if is_kind(item, str, int):
        return ""
    return f"should be a JSON value, got {noun(item)}"
