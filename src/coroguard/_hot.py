"""What a guarded call reads when nothing is wrong: these names are its globals."""

from __future__ import annotations

import threading

from .awaitables import ATOMS

__all__ = ["ALERT", "add_alert"]

#: Whether guarded calls have to take the thorough way: strict mode holds
#: somewhere, a strict call has not ended, or a coroutine was dropped inside a
#: guarded call that has not ended.
ALERT = False

_cg_atoms = ATOMS
_cg_type = type

_reasons = 0
_lock = threading.RLock()  # a finalizer may run while its own thread holds it


def add_alert(step: int) -> None:
    """Add a reason for the thorough way (+1), or take one back (-1)."""
    global _reasons, ALERT
    with _lock:
        _reasons += step
        ALERT = _reasons > 0
