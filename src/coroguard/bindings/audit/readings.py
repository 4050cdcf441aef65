"""What was read of a package: each module with its source, names and calls?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .calls import calls_in, tree_of
from .lookups import Lookups
from .scopes import read

if TYPE_CHECKING:
    from types import ModuleType

    from ..modules import Loaded
    from .calls import Call
    from .scopes import Source

__all__ = ["Reading", "readings_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A module and its source.

    Args:
        module: The imported module.
        file: Its source file.
        source: Its syntax.
        lookups: What its expressions lead to.
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


def readings_of(loaded: Loaded) -> list[Reading]:
    """Read the source of every module that has one."""
    found: list[Reading] = []
    for module in loaded.modules.values():
        tree = tree_of(module)
        if tree is None:
            continue
        source = read(tree)
        lookups = Lookups(module, source)
        calls = calls_in(module, source, lookups)
        file = str(vars(module)["__file__"])
        found.append(Reading(module, file, source, lookups, calls))
    return found
