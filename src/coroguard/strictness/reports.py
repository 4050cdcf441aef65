"""Who is told that a package is not checked as was wished?"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from .._guard.judge import act
from .._leaks.errors import GuardUsageError
from .._runtime.modes import current

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["tell"]


def tell(package: str, text: str) -> None:
    """Emit an event, and warn the line outside of coroguard that led here."""
    act(current(), package, [GuardUsageError(text)], raises=False)
    warnings.warn(text, RuntimeWarning, stacklevel=_first_outside())


def _first_outside() -> int:
    """Return the ``stacklevel``, for the caller, of the first frame not ours."""
    level = 1
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] == "coroguard":
            level += 1
        elif not module.startswith("importlib._bootstrap"):  # not counted there
            break
        frame = frame.f_back
    return level
