"""JSON values, and the search for anything else inside a value."""

# Pure and iterative: depth costs no stack, and no code of a value is called. Even
# ``isinstance`` would ask an object for its ``__class__``.

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import isfinite
from types import AsyncGeneratorType, CoroutineType, NoneType
from typing import Any, Final, TypeAlias, cast

from .._inspect.awaitables import class_name, ids, mro, what_is
from .._inspect.contents import FROZENDICT

Path: TypeAlias = tuple[str | int, ...]
_Trail: TypeAlias = tuple[Any, str | int] | None
_Children: TypeAlias = list[tuple[Any, Any]]

#: The real class. A test that freezes the clock replaces it in each module that has
#: it under a name, so it is in a tuple; and the clock may be frozen already.
DATETIME: Final = tuple(
    cast("type[datetime]", kind)
    for kind in datetime.__mro__
    if kind.__module__ == "datetime" and kind.__name__ == "datetime"
)

#: What counts as a JSON object: ``dict``, and ``frozendict`` where there is one.
MAPPINGS: Final = (dict,) if FROZENDICT is None else (dict, FROZENDICT)
_EXACT: Final = ids(str, int, bool, NoneType)


def is_kind(value: object, *kinds: type) -> bool:
    """Return what ``isinstance`` does, but ask the type only."""
    for base in mro(type(value)):
        for kind in kinds:
            if base is kind:
                return True
    return False


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
        if id(kind) in _EXACT:
            continue
        if kind is dict or kind is list:
            containers.append(item)
        elif kind is not float or not isfinite(item):
            return False
    return True


def json_faults(root: object) -> Iterator[tuple[Path, str, object]]:
    """Yield what is not a JSON value: its path, the reason, the object.

    Subclasses of the built-in types are JSON values where ``json.dumps`` writes
    them (string enumerations, ordered dictionaries, named tuples); NaN is not one.
    """
    for path, item, reason in _walk(root, within=()):
        if reason:
            yield path, reason, item


def awaitables(root: object, *within: type) -> Iterator[tuple[Path, object]]:
    """Yield awaitables at any depth, also in all attributes of these models."""
    for path, item, _ in _walk(root, within=within):
        if what_is(item):
            yield path, item


def _walk(
    root: object, *, within: tuple[type, ...]
) -> Iterator[tuple[Path, object, str]]:
    """Yield awaitables and what is not a JSON value, in reading order."""
    met: set[int] = set()
    around: set[int] = set()
    todo: list[tuple[_Trail, Any, bool]] = [(None, root, True)]
    while todo:
        trail, item, entering = todo.pop()
        if id(type(item)) in _EXACT:
            continue
        if not entering:
            around.discard(id(item))
            continue
        children = _children(item, within)
        if reason := _reason(item, children, around):
            yield _path(trail), item, reason
        if not children or id(item) in met:
            continue
        met.add(id(item))
        around.add(id(item))
        todo.append((trail, item, False))
        for key, child in reversed(children):
            step = key
            if type(key) is not str and not is_kind(item, list, tuple):
                step = f"<{noun(key)}>"
                if reason := _key_reason(key):
                    yield (*_path(trail), step), key, reason
            todo.append(((trail, step), child, True))


def _children(item: object, within: tuple[type, ...]) -> _Children | None:
    """Return the items of a container, read by its built-in type's methods."""
    if is_kind(item, *MAPPINGS):
        return items_of(item)
    if is_kind(item, list):
        return list(enumerate(list[Any].__iter__(cast("list[Any]", item))))
    if is_kind(item, tuple):
        return list(enumerate(tuple[Any, ...].__iter__(cast("tuple[Any, ...]", item))))
    if within and is_kind(item, *within):
        private = _slot(item, "__pydantic_private__")
        return [*fields_of(item).items(), *private.items()]
    return None


def items_of(mapping: object) -> list[tuple[Any, Any]]:
    """Return the items of a mapping, read by its built-in type's method."""
    base: Any = dict if is_kind(mapping, dict) else FROZENDICT
    return list(base.items(mapping))


def fields_of(model: object) -> dict[str, Any]:
    """Return the fields and extra fields of a pydantic model as they are now."""
    return _slot(model, "__dict__") | _slot(model, "__pydantic_extra__")


def _slot(model: object, name: str) -> dict[str, Any]:
    """Return one slot of a model; empty in a model made by ``__new__`` alone."""
    try:
        return object.__getattribute__(model, name) or {}
    except AttributeError:
        return {}


def _reason(item: object, children: _Children | None, around: set[int]) -> str:
    """Return why this is not a JSON value, or ``""`` if it is one."""
    if what_is(item):
        return f"should be a JSON value, got {noun(item)}"
    if children is not None:
        return "contains itself" if id(item) in around else ""
    if is_kind(item, float):
        return "" if isfinite(cast("float", item)) else "should be a finite number"
    if is_kind(item, str, int):
        return ""
    return f"should be a JSON value, got {noun(item)}"


def _key_reason(key: object) -> str:
    """Return why this is not a key of a JSON object, or ``""``."""
    if is_kind(key, str) and not what_is(key):
        return ""
    return f"should be a str as key, got {noun(key)}"


def _path(trail: _Trail) -> Path:
    """Return a trail as a path from the root."""
    steps: list[str | int] = []
    while trail is not None:
        trail, step = trail
        steps.append(step)
    return tuple(reversed(steps))
