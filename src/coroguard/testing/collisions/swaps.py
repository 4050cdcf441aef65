"""Replacements of values that can be undone in any order."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from ..._inspect.awaitables import class_of

#: The value of a name that is not set.
ABSENT: Any = object()


class _Layer:
    """The value that a place had before one of several stacked changes."""

    def __init__(self, before: Any) -> None:
        self.before = before


# By place, innermost change last. Undoing a change in the middle must not restore
# the value of a change below it.
_LAYERS: dict[tuple[int, str, object], list[_Layer]] = {}


def keep_attribute(owner: Any, name: str, undo: ExitStack) -> None:
    """Restore an attribute, or remove it again, when ``undo`` closes."""

    def restore(before: Any) -> None:
        if before is not ABSENT:
            setattr(owner, name, before)
        elif name in getattr(owner, "__dict__", {}):
            delattr(owner, name)

    _keep((id(owner), "attribute", name), _own_attribute(owner, name), restore, undo)


def keep_item(container: Any, key: Any, undo: ExitStack) -> None:
    """Restore an item of a mapping or a sequence when ``undo`` closes."""
    try:
        before = container[key]
    except LookupError:
        before = ABSENT

    def restore(before: Any) -> None:
        if before is not ABSENT:
            container[key] = before
        elif key in container:
            del container[key]

    _keep((id(container), "item", key), before, restore, undo)


def _keep(
    place: tuple[int, str, object],
    before: Any,
    restore: Callable[[Any], None],
    undo: ExitStack,
) -> None:
    layer = _Layer(before)
    _LAYERS.setdefault(place, []).append(layer)

    def put_back() -> None:
        layers = _LAYERS[place]
        number = layers.index(layer)
        del layers[number]
        if number < len(layers):
            layers[number].before = layer.before
            return
        if not layers:
            del _LAYERS[place]
        restore(layer.before)

    undo.callback(put_back)


def _own_attribute(owner: Any, name: str) -> Any:
    """Return an attribute that the owner itself has, not one that it inherits."""
    own: dict[str, Any] = getattr(owner, "__dict__", {})
    kind = class_of(owner)
    if name in own or issubclass(kind, type):
        return own.get(name, ABSENT)
    descriptor = inspect.getattr_static(kind, name, None)
    # Slots and properties with a setter hold a value without a ``__dict__``.
    is_held = hasattr(class_of(descriptor), "__set__")
    return getattr(owner, name, ABSENT) if is_held else ABSENT
