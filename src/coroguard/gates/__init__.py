"""The deployment gates: conditions that all have to be positively met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import run_gates
    from .readiness import Readiness
    from .record import GateRecord, MissingService
    from .table import show
    from .verdict import Verdict

__all__ = ["GateRecord", "MissingService", "Readiness", "Verdict", "run_gates", "show"]

_HOMES = {
    "GateRecord": "record",
    "MissingService": "record",
    "Readiness": "readiness",
    "Verdict": "verdict",
    "run_gates": "engine",
    "show": "table",
}


def __getattr__(name: str) -> Any:
    """Import the engine when it is first asked for: a test run needs only its end."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
