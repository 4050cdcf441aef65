"""Durations as they are written, and the times at which work is due."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial

from .._leaks.errors import GuardUsageError

usage_error = partial(GuardUsageError, code="CG404")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_LEAST_S, _MOST_S = 1.0, 31 * 86400.0


def seconds_of(text: str, option: str) -> float:
    """Return the seconds of a duration such as ``30s``, ``5m`` or ``1h``.

    Raises:
        GuardUsageError: It is not one, or not between a second and a month.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not _LEAST_S <= seconds <= _MOST_S:
        raise usage_error(
            f"{option} {text} is not a duration between a second and a month; "
            "write one such as 30s, 5m or 1h"
        )
    return seconds


class Schedule:
    """The time at which work is due next; missed runs are not made up for.

    Args:
        every_s: Seconds from one start to the next.
        clock: Returns seconds that only go forwards.
    """

    def __init__(
        self, every_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s = every_s
        self._clock = clock
        self._due = clock()

    def is_due(self) -> bool:
        """Return whether it is time, and if so plan the next time."""
        now = self._clock()
        if now < self._due:
            return False
        self._due = max(self._due + self._every_s, now)
        return True

    def wait_s(self) -> float:
        """Return the seconds until it is time."""
        return max(0.0, self._due - self._clock())
