"""What a guarded call reads when nothing is wrong: these names are its globals."""

from __future__ import annotations

import threading

from .._inspect.awaitables import ATOMS

__all__ = ["ALERT", "SCALARS", "add_alert"]

#: Whether guarded calls have to take the thorough way: strict mode holds
#: somewhere, a strict call has not ended, or a coroutine was dropped inside a
#: guarded call that has not ended.
ALERT = False

#: The global by which a wrapper knows each type that needs no further look.
SCALARS = {kind: f"_cg_{kind.__name__}" for kind in ATOMS}


class _Nobody:
    """The type of no value: while it stands for a scalar, none is known."""


# On alert a wrapper is to know no type, so that one question answers both.
_quiet = {"_cg_atoms": ATOMS, **{name: kind for kind, name in SCALARS.items()}}
_alarmed = {"_cg_atoms": frozenset[type](), **dict.fromkeys(SCALARS.values(), _Nobody)}

_cg_type = type
_reasons = 0
_lock = threading.RLock()  # a finalizer may run while its own thread holds it


def add_alert(step: int) -> None:
    """Add a reason for the thorough way (+1), or take one back (-1)."""
    global _reasons, ALERT
    with _lock:
        _reasons += step
        ALERT = _reasons > 0  # pyright: ignore[reportConstantRedefinition]
        globals().update(_alarmed if ALERT else _quiet)


add_alert(0)
