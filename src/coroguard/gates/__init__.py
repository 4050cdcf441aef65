"""The deployment gates: conditions that all have to be positively met."""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

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

# A test run needs little of this, and unittest and asyncio are slow to import.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
