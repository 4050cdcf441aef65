"""Which kinds of collision are there, how is each planted, and where can it be?"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from ..._leaks.errors import GuardUsageError
from . import modules, shapes, statements
from .places import find_held, find_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from .places import Place

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which a name comes to lead to the other colour.

    Args:
        plant: Makes it happen, and has it undone when the stack closes.
        suits: Says what is against it at a place, and what to type; else nothing.
        find: Finds the place that a target leads to.
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
            raise GuardUsageError(f"no {word} of {place.label}: {against}.")
        return place


def _is_name_of_module(place: Place) -> str:
    if isinstance(place.owner, ModuleType):
        return ""
    if place.is_method:
        return 'it is no name of a module; for a method type kind="override"'
    return 'it is no name of a module; type kind="injection"'


def _is_name_in_sys_modules(place: Place) -> str:
    return _is_name_of_module(place) or _is_imported(place)


def _is_method_by_path(place: Place) -> str:
    if place.is_method and place.module is not None:
        return ""
    if place.is_method:
        return 'its class has no name; type kind="rebinding"'
    return (
        "it is no method of a class; type the path of one, "
        '"package.module:Class.method", or kind="rebinding"'
    )


def _is_defined_in_module(place: Place) -> str:
    is_defined = place.is_method or isinstance(place.owner, ModuleType)
    if place.module is None or not is_defined:
        return 'no module or class defines it; type kind="rebinding"'
    return ""


def _is_in_file(place: Place) -> str:
    """Say what keeps the file of a place from being loaded a second time."""
    module = place.module
    if module is None:
        return 'no module leads to it; type kind="rebinding"'
    if not str(getattr(module, "__file__", "")).endswith(".py"):
        return f'{module.__name__} has no source file; type kind="rebinding"'
    if place.is_method and place.owner.__module__ != module.__name__:
        home = place.owner.__module__
        return (
            f"{module.__name__} only imports {place.owner.__qualname__}; "
            f'type collide("{home}:{place.owner.__qualname__}.{place.name}")'
        )
    return ""


def _is_in_imported_file(place: Place) -> str:
    return _is_in_file(place) or _is_imported(place)


def _is_imported(place: Place) -> str:
    module = place.module
    if module is None or module.__name__ == "__main__":
        return 'its module is never imported; type kind="rebinding"'
    if sys.modules.get(module.__name__) is not module:
        return (
            f"{module.__name__} in sys.modules is another module; "
            f'type collide("{module.__name__}:{".".join(place.path)}")'
        )
    return ""


#: By the word for it, in the order of the documentation.
KINDS: dict[str, Kind] = {
    "rebinding": Kind(shapes.as_twin),
    "star import": Kind(statements.star_import, _is_name_of_module),
    "later definition": Kind(statements.later_definition, _is_defined_in_module),
    "override": Kind(shapes.override, _is_method_by_path),
    "path shadowing": Kind(modules.path_shadowing, _is_in_imported_file),
    "double import": Kind(modules.double_import, _is_in_file),
    "handler import": Kind(modules.handler_import, _is_name_in_sys_modules),
    "conditional import": Kind(statements.conditional_import, _is_name_of_module),
    "module getattr": Kind(modules.module_getattr, _is_name_of_module),
    "injection": Kind(shapes.as_twin, find=find_held),
    "partial": Kind(shapes.as_partial),
    "lambda": Kind(shapes.as_lambda),
    "lossy decorator": Kind(shapes.as_lossy_wrapper),
    "mock": Kind(shapes.as_mock),
}
