"""The evidence that a run of tests leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_LONGEST_TEXT = 400
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """Replace characters that steer a terminal or that UTF-8 cannot hold."""
    return _CONTROLS.sub("\ufffd", text)


def short(text: str) -> str:
    """Return a printable text of bounded length."""
    return printable(text)[:_LONGEST_TEXT]


def one_line(text: str) -> str:
    """Return a printable text of bounded length, in one line."""
    return short(" ".join(text.split()))


class Outcome(StrEnum):
    """The outcome of one test; only `PASSED` speaks for a gate."""

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
    text: str = ""
    duration_s: float = 0.0


@dataclass(slots=True)
class Attempt:
    """One run of a phase of a test, as seen from inside every hook.

    Args:
        when: `setup`, `call` or `teardown`.
        outcome: `passed`, `failed`, `skipped`, `xfailed` or `missing`.
        text: The exception; empty where it passed.
        assertion: Whether the exception is one that a test raises for a finding.
        ran: Whether the body of the test itself was entered.
    """

    when: str
    outcome: str = "passed"
    text: str = ""
    assertion: bool = False
    ran: bool = False


@dataclass(frozen=True, slots=True)
class TestEvidence:
    """All that is known of one test.

    Args:
        id: pytest's node id.
        phases: What was reported, in order, reruns included.
        attempts: What happened, in order, whatever was reported of it.
        record: What the test recorded through `gate_record`.
        leaks: The coroutines that it left un-awaited.
        failures: Failures in its threads, tasks and finalizers.
    """

    __test__ = False

    id: str
    phases: tuple[Phase, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])
    leaks: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Judge the test; the worst of what was reported and of what happened."""
        failed = {
            *(it.when for it in self.phases if it.outcome == "failed"),
            *(when for when, it in self._last.items() if it.outcome == "failed"),
        }
        expected = {phase.outcome for phase in self.phases if phase.xfail}
        if expected and "passed" not in expected:
            failed.discard("call")
        missing = {it.when for it in self.attempts if it.outcome == "missing"}
        unexplained = failed - missing
        if "call" in unexplained or self.failures or self.record.get("refused"):
            return Outcome.FAILED
        if unexplained:
            return Outcome.BROKE
        if self.leaks:
            return Outcome.LEAKED
        if failed or missing or self.record.get("missing"):
            return Outcome.MISSING
        if expected:
            return Outcome.XPASSED if "passed" in expected else Outcome.XFAILED
        return self._outcome_without_failure()

    def _outcome_without_failure(self) -> Outcome:
        happened = {it.outcome for it in self._last.values()}
        reported = {phase.outcome for phase in self.phases}
        if "skipped" in happened | reported:
            return Outcome.SKIPPED
        if "xfailed" in happened:
            return Outcome.XFAILED
        call = self._last.get("call")
        passed = any(it.when == "call" and it.outcome == "passed" for it in self.phases)
        if call is None or not call.ran or not passed:
            return Outcome.NOT_RUN
        if any(it.outcome == "failed" for it in self.attempts) or len(reported) > 1:
            return Outcome.FLAKY
        return Outcome.PASSED

    @property
    def _last(self) -> dict[str, Attempt]:
        return {attempt.when: attempt for attempt in self.attempts}

    @property
    def saw(self) -> bool:
        """Whether the test itself found something: by an assertion or a leak."""
        return bool(self.leaks) or any(
            it.outcome == "failed" and it.assertion for it in self.attempts
        )

    @property
    def text(self) -> str:
        """Return why it did not pass, in one line; may be empty."""
        reported = [phase.text for phase in self.phases if phase.text]
        happened = [it.text for it in self._last.values() if it.text]
        refused = self.record.get("refused", ())
        first = [*refused, *reported, *happened, *self.failures][:1]
        if self.outcome is Outcome.LEAKED or not first:
            return "; ".join(self.leaks)
        return str(first[0])

    @property
    def duration_s(self) -> float:
        """Return the time that all of its phases took."""
        return sum(phase.duration_s for phase in self.phases)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestEvidence:
        """Build it from the plain data of a report."""
        return cls(
            id=data["id"],
            phases=tuple(Phase(**phase) for phase in data["phases"]),
            attempts=tuple(Attempt(**attempt) for attempt in data["attempts"]),
            record=data["record"],
            leaks=tuple(data["leaks"]),
            failures=tuple(data["failures"]),
        )


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """The evidence of one run of pytest, or the reason why it cannot be trusted.

    Args:
        broken: Why it cannot be believed; empty when it can.
        tests: The tests by node id.
        deselected: Node ids that were taken out of the run.
        collect_errors: What could not be collected, and why.
        leaks: Coroutines that no test left un-awaited, but something else.
        failures: Failures in threads, tasks and finalizers outside the tests.
        stacks: What every thread was doing when the run was ended from outside.
        output: The end of what it printed.
        versions: pytest's version and those of its plugins.
    """

    broken: tuple[str, ...] = ()
    tests: Mapping[str, TestEvidence] = field(default_factory=dict[str, TestEvidence])
    deselected: frozenset[str] = frozenset()
    collect_errors: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    stacks: str = ""
    output: str = ""
    duration_s: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict[str, str])

    def outcome(self, test_id: str) -> Outcome:
        """Return the outcome of a test that was expected."""
        if test_id in self.tests:
            return self.tests[test_id].outcome
        gone = test_id in self.deselected
        return Outcome.DESELECTED if gone else Outcome.NOT_RUN
