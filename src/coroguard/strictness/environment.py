"""What does the environment ask of strict mode when coroguard is imported?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._runtime.modes import Mode, current
from .packages import RUN, hold

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PACKAGES", "activate", "names_in"]

PACKAGES = "COROGUARD_PACKAGES"


def activate() -> None:
    """Check the packages that ``COROGUARD_PACKAGES`` names, in strict mode only.

    Raises:
        GuardUsageError: A name in it is none, or is not found.
    """
    names = names_in([os.environ.get(PACKAGES, "")])
    if names and current() is Mode.STRICT:
        # A run begins before the program has put its own folder on the path; what
        # never comes is told when it ends.
        find = not os.environ.get(RUN)
        hold(names, lambda name: f"{PACKAGES}={name!r}", find=find)


def names_in(texts: Iterable[str]) -> list[str]:
    """Return the names, each once, that stand between commas and blanks."""
    return list(dict.fromkeys(" ".join(texts).replace(",", " ").split()))
