"""The state that every guarded call reads when nothing is wrong."""

from __future__ import annotations

from typing import Any

from .._inspect.contents import CLOSED
from .threads import make_lock


class _Hot:
    """The values that a wrapper reads at each call; slots are the fastest to read.

    Attributes:
        alert: Whether guarded calls have to take the thorough way: strict mode
            applies somewhere, or a coroutine was dropped inside a guarded call that
            has not ended.
        check_alert: The same for health checks, which also take it while anybody
            listens to their calls.
        none: ``None``; no value on alert, and so with the types.
        quiet: Identities of the classes whose instances cannot hold a leak; none on
            alert.
    """

    # On alert no result is of these types, so that one comparison answers both
    # questions: what the result is, and whether it needs a further look.
    __slots__ = (
        *("alert", "check_alert", "timed"),
        *("bool", "bytes", "complex", "float", "int", "none"),
        "quiet",
    )

    def __init__(self) -> None:
        self.timed = False
        self.set(alert=False)

    def set(self, *, alert: bool) -> None:
        """Begin or end the alert."""
        for kind in SCALARS:
            setattr(self, kind.__name__, _Nobody if alert else kind)
        self.none: Any = _Nobody if alert else None
        self.quiet: Any = _NO_CLASSES if alert else CLOSED
        self.alert = alert
        self.check_alert = alert or self.timed

    def set_timed(self, *, timed: bool) -> None:
        """Begin or end the timing of the calls of health checks."""
        with _lock:
            self.timed = timed
            self.check_alert = self.alert or timed

    def __reduce__(self) -> str:
        return "HOT"


class _Nobody:
    """The type of no value."""


_NO_CLASSES = frozenset[int]()

#: Types of values that need no further look; ``None`` is the other such value.
SCALARS = (int, bool, float, complex, bytes)
#: The one state, shared by all wrappers.
HOT = _Hot()

_reasons = 0
_lock = make_lock()


def add_alert(step: int) -> None:
    """Add a reason for the thorough way (+1), or take one back (-1)."""
    global _reasons
    with _lock:
        _reasons += step
        while (_reasons > 0) != HOT.alert:  # again where a finalizer was here meanwhile
            HOT.set(alert=_reasons > 0)
