"""What did a run of tests leave as evidence?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outcome", "Phase", "RunEvidence", "TestEvidence", "printable"]

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """Take out what a test could steer a terminal with, or what UTF-8 cannot hold."""
    return _CONTROLS.sub("\ufffd", text)


class Outcome(StrEnum):
    """What became of one test; only `PASSED` speaks for a gate."""

    PASSED = "passed"
    FAILED = "failed"
    LEAKED = "leaked"
    BROKE = "error"
    FLAKY = "flaky"
    MISSING = "missing service"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    DESELECTED = "deselected"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Phase:
    """One report that pytest made of a test."""

    when: str
    outcome: str
    xfail: bool = False
    missing: bool = False
    assertion: bool = False
    text: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TestEvidence:
    """All that is known of one test.

    Args:
        id: pytest's node id.
        phases: What was reported, in order, reruns included.
        attempts: The outcome of each attempt, also of those that nobody reported.
        record: What the test said through `gate_record`.
        leaks: The coroutines that died un-awaited while it ran.
    """

    __test__ = False

    id: str
    phases: tuple[Phase, ...] = ()
    attempts: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])
    leaks: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Judge the test; what is worst decides."""
        failed = [phase for phase in self.phases if phase.outcome == "failed"]
        if any(phase.when == "call" and not phase.missing for phase in failed):
            return Outcome.FAILED
        if any(not phase.missing for phase in failed):
            return Outcome.BROKE
        if self.leaks:
            return Outcome.LEAKED
        if failed or self.record.get("missing"):
            return Outcome.MISSING
        return self._outcome_without_failure()

    def _outcome_without_failure(self) -> Outcome:
        expected = {phase.outcome for phase in self.phases if phase.xfail}
        if expected:
            return Outcome.XPASSED if "passed" in expected else Outcome.XFAILED
        if any(phase.outcome == "skipped" for phase in self.phases):
            return Outcome.SKIPPED
        calls = [phase for phase in self.phases if phase.when == "call"]
        if not any(phase.outcome == "passed" for phase in calls):
            return Outcome.NOT_RUN
        reported = {phase.outcome for phase in self.phases}
        if "failed" in self.attempts or reported != {"passed"}:
            return Outcome.FLAKY
        return Outcome.PASSED

    @property
    def saw(self) -> bool:
        """Whether the test itself found something: an assertion or a leak."""
        return bool(self.leaks) or any(
            phase.when == "call" and phase.outcome == "failed" and phase.assertion
            for phase in self.phases
        )

    @property
    def text(self) -> str:
        """Return why it did not pass, as short as pytest says it; may be empty."""
        said = [phase.text for phase in self.phases if phase.text]
        return "; ".join(self.leaks) or (said[0] if said else "")

    @property
    def duration_s(self) -> float:
        """Return the time that all of its phases took."""
        return sum(phase.duration_s for phase in self.phases)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestEvidence:
        """Build it from a report's plain data."""
        return cls(
            id=data["id"],
            phases=tuple(Phase(**phase) for phase in data["phases"]),
            attempts=tuple(data["attempts"]),
            record=data["record"],
            leaks=tuple(data["leaks"]),
        )


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """What one run of pytest left, or why nothing that it left can be believed.

    Args:
        broken: Why this run says nothing; empty when it can be believed.
        tests: The tests by node id.
        deselected: Node ids that were taken out of the run.
        collect_errors: What could not be collected, and why.
        leaks: Coroutines that died un-awaited after the last test.
        stacks: What every thread was doing when the run was ended from outside.
        output: The end of what it printed.
        versions: pytest's version and those of its plugins.
    """

    broken: tuple[str, ...] = ()
    tests: Mapping[str, TestEvidence] = field(default_factory=dict[str, TestEvidence])
    deselected: frozenset[str] = frozenset()
    collect_errors: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    stacks: str = ""
    output: str = ""
    duration_s: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict[str, str])

    def outcome(self, test_id: str) -> Outcome:
        """Return what became of a test that was expected."""
        if test_id in self.tests:
            return self.tests[test_id].outcome
        gone = test_id in self.deselected
        return Outcome.DESELECTED if gone else Outcome.NOT_RUN
