"""How is a value replaced so that it can be put back, in whatever order?"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

__all__ = ["ABSENT", "keep_attribute", "keep_item"]

#: Stands for what is not there.
ABSENT: Any = object()
# Typed Any, because pyright knows nothing of the type of anything.
_type: Any = type


class _Layer:
    """What stood in a place before one of the changes that lie on each other."""

    def __init__(self, before: Any) -> None:
        self.before = before


# By place, innermost change last. Who puts back from the middle must not bring
# back what a change below it has put there.
_LAYERS: dict[tuple[int, str, object], list[_Layer]] = {}


def keep_attribute(owner: Any, name: str, undo: ExitStack) -> None:
    """Have an attribute put back, or taken off again, when ``undo`` closes."""

    def restore(before: Any) -> None:
        if before is not ABSENT:
            setattr(owner, name, before)
        elif name in getattr(owner, "__dict__", {}):
            delattr(owner, name)

    _keep((id(owner), "attribute", name), _own_attribute(owner, name), restore, undo)


def keep_item(container: Any, key: Any, undo: ExitStack) -> None:
    """Have an item of a mapping or a sequence put back when ``undo`` closes."""
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
    """Return what the owner itself holds, and not what it inherits."""
    own: dict[str, Any] = getattr(owner, "__dict__", {})
    kind = _type(owner)
    if name in own or issubclass(kind, type):
        return own.get(name, ABSENT)
    descriptor = inspect.getattr_static(kind, name, None)
    # Slots and properties with a setter hold a value without a ``__dict__``.
    is_held = hasattr(_type(descriptor), "__set__")
    return getattr(owner, name, ABSENT) if is_held else ABSENT
