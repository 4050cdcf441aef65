"""A module with its source, names and calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from .calls import calls_of, tree_of
from .resolution import Lookups
from .scopes import read

if TYPE_CHECKING:
    from .calls import Call
    from .scopes import Source


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A module and its source.

    Args:
        module: The imported module.
        file: Its source file.
        source: Its syntax.
        lookups: What its expressions refer to.
        calls: The calls whose target is known.
    """

    module: ModuleType
    file: str
    source: Source
    lookups: Lookups
    calls: list[Call]

    @property
    def name(self) -> str:
        """The module's name."""
        return self.module.__name__


def readings_of(modules: Iterable[ModuleType]) -> list[Reading]:
    """Read the source of every module that has one."""
    found = map(reading_of, modules)
    return [reading for reading in found if reading is not None]


def reading_of(module: ModuleType) -> Reading | None:
    """Read a module's source; ``None`` where it cannot be read."""
    tree = tree_of(module)
    if tree is None:
        return None
    source = read(tree)
    lookups = Lookups(module, source)
    calls = calls_of(module, source, lookups)
    return Reading(module, str(vars(module)["__file__"]), source, lookups, calls)
