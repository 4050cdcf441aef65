"""Gate 5: all the other gates are green."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .findings import Findings, usage_error

if TYPE_CHECKING:
    from ..config import GateConfig
    from ..record import GateRecord

_GATE = "deployment readiness"
_GREEN = ("PASSED", "WAIVED")


def readiness_gate(
    record: GateRecord,
    gates: Mapping[str, GateConfig],
    verdicts: Mapping[str, str] | None = None,
) -> None:
    """Check that each of these gates was judged and is green.

    Args:
        record: Where the gate records what it did.
        gates: The gates that it sums up, with their rules, as in `pyproject.toml`.
        verdicts: What became of them; `None` takes what `coroguard gate` has found
            so far.

    Raises:
        GateFailed: With the rule and the impact of each gate that is not green.
        GuardUsageError: There are no gates.
    """
    if not gates:
        raise usage_error("readiness_gate() needs gates; pass config.gates")
    found = record.verdicts if verdicts is None else verdicts
    findings = Findings(_GATE)
    for name, gate in gates.items():
        verdict = found.get(name, "NOT_RUN")
        if verdict not in _GREEN:
            blocks = "No" if gate.blocks_deployment is False else "Yes"
            findings.add(
                name,
                f"{verdict}; RULE: {gate.rule}; FAILURE IMPACT: {gate.impact}; "
                f"BLOCKS DEPLOYMENT: {blocks}",
            )
    record.did(scenarios=len(gates))
    findings.raise_if_any()
