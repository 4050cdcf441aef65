"""What is known of a path that is protected?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .paths import GuardPath

__all__ = ["Protection", "Put"]


@dataclass(frozen=True, slots=True)
class Put:
    """One guard that was put in place.

    Args:
        module: The name of the module.
        name: The qualified name in it.
        owner: The module, class or object that has the attribute.
        attribute: Its name.
        original: What the owner had there itself; ``MISSING`` if nothing.
        function: What was guarded.
        guarded: What the name leads to since.
        file: The module's file.
    """

    module: str
    name: str
    owner: Any
    attribute: str
    original: Any
    function: Any
    guarded: Any
    file: str


@dataclass(slots=True)
class Protection:
    """A path, and what came of it.

    Args:
        path: The path.
        decorate: Puts the guard on a function.
        put: The guards that are in place.
        wrong: Why it could not be put on what the path leads to.
    """

    path: GuardPath
    decorate: Callable[[Any], Any]
    put: list[Put] = field(default_factory=list[Put])
    wrong: str = ""
