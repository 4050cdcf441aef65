"""The record of one run of the validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime

Status = Literal["healthy", "degraded", "failed"]

#: The component that the drift from the lock is shown as.
DRIFT = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One component, as a run found it.

    Args:
        check: The name of the component.
        status: Its status; ``failed`` for drift.
        text: What is wrong and how to mend it; empty where it is healthy.
        took_s: How long it took; ``None`` where that is not known.
    """

    check: str
    status: Status
    text: str = ""
    took_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """All components of one run.

    Args:
        findings: At least one.
        at: When the run began, aware, in UTC.
    """

    findings: Sequence[Finding] = field(default_factory=tuple[Finding, ...])
    at: datetime.datetime

    @property
    def healthy(self) -> bool:
        """Whether nothing has failed."""
        return all(it.status != "failed" for it in self.findings)
