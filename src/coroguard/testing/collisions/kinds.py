"""The kinds of collision: how each is made, and where it can be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import usage_error
from . import modules, shapes
from .places import find_held, find_place

if TYPE_CHECKING:
    from .places import Place


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which a name comes to have the other colour.

    Args:
        plant: Makes it happen, and has it undone when the stack closes.
        suits: Returns why it cannot be at a place and what to write; else nothing.
        find: Finds the place that a target names.
    """

    plant: Callable[[Place, ExitStack], None]
    suits: Callable[[Place], str] = lambda _: ""
    find: Callable[[object, object], Place] = find_place

    def place_of(self, target: object, name: object, word: str) -> Place:
        """Find the place, and refuse it where this kind cannot happen there.

        Raises:
            GuardUsageError: The target leads nowhere, or the kind is not for it.
        """
        place = self.find(target, name)
        against = self.suits(place)
        if against:
            raise usage_error(f"no {word} of {place.label}: {against}.")
        return place


def is_name_of_module(place: Place) -> str:
    """Return why a place is not a name of a module; nothing where it is."""
    if isinstance(place.owner, ModuleType):
        return ""
    if place.is_method:
        return 'it is not a name of a module; for a method use kind="override"'
    return 'it is not a name of a module; use kind="injection"'


def _is_name_in_sys_modules(place: Place) -> str:
    return is_name_of_module(place) or _is_imported(place)


def _is_method_by_path(place: Place) -> str:
    if place.is_method and place.module is not None:
        return ""
    if place.is_method:
        return 'its class has no name; use kind="rebinding"'
    return (
        "it is not a method of a class; give the path of one, "
        '"package.module:Class.method", or kind="rebinding"'
    )


def is_in_file(place: Place) -> str:
    """Return why the file of a place cannot be loaded a second time."""
    module = place.module
    if module is None:
        return 'no module has it; use kind="rebinding"'
    if not str(getattr(module, "__file__", "")).endswith(".py"):
        return f'{module.__name__} has no source file; use kind="rebinding"'
    if place.is_method and place.owner.__module__ != module.__name__:
        home = place.owner.__module__
        return (
            f"{module.__name__} only imports {place.owner.__qualname__}; "
            f'use collide("{home}:{place.owner.__qualname__}.{place.name}")'
        )
    return ""


def _is_in_imported_file(place: Place) -> str:
    return is_in_file(place) or _is_imported(place)


def _is_imported(place: Place) -> str:
    module = place.module
    if module is None or module.__name__ == "__main__":
        return 'its module is never imported; use kind="rebinding"'
    if sys.modules.get(module.__name__) is not module:
        return (
            f"{module.__name__} in sys.modules is another module; "
            f'use collide("{module.__name__}:{".".join(place.path)}")'
        )
    return ""


#: By the word for it, in the order of the documentation.
KINDS: dict[str, Kind] = {
    "rebinding": Kind(shapes.as_twin),
    "override": Kind(shapes.override, _is_method_by_path),
    "path shadowing": Kind(modules.path_shadowing, _is_in_imported_file),
    "handler import": Kind(modules.handler_import, _is_name_in_sys_modules),
    "injection": Kind(shapes.as_twin, find=find_held),
    "mock": Kind(shapes.as_mock),
}
