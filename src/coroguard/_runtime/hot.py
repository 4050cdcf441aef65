"""The state that every guarded call reads when nothing is wrong."""

from __future__ import annotations

import threading

from .._inspect.awaitables import ATOMS

#: Whether guarded calls have to take the thorough way: strict mode applies
#: somewhere, or a coroutine was dropped inside a guarded call that has not ended.
ALERT = False

#: The name here under which a wrapper finds each type that needs no further look.
SCALARS = {kind: f"_{kind.__name__}" for kind in ATOMS}


class _Nobody:
    """The type of no value, in the place of a scalar's on alert."""


# On alert a wrapper finds no type here, so that one comparison answers both questions.
_quiet = {"_atoms": ATOMS, **{name: kind for kind, name in SCALARS.items()}}
_alarmed = {"_atoms": frozenset[type](), **dict.fromkeys(SCALARS.values(), _Nobody)}

_reasons = 0
# Reentrant, because a finalizer may run while its own thread holds it.
_lock = threading.RLock()


def add_alert(step: int) -> None:
    """Add a reason for the thorough way (+1), or take one back (-1)."""
    global _reasons, ALERT
    with _lock:
        _reasons += step
        while (_reasons > 0) != ALERT:  # again where a finalizer was here meanwhile
            ALERT = _reasons > 0  # pyright: ignore[reportConstantRedefinition]
            globals().update(_alarmed if ALERT else _quiet)


globals().update(_quiet)
