"""The readiness of a release, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .evidence import Outcome, RunEvidence
from .record import AMOUNTS
from .verdict import Gate, Judgement, Verdict, amounts, services

if TYPE_CHECKING:
    from .config import Waiver
    from .matrix.result import Matrix

SCHEMA = 2


class ExitCode(IntEnum):
    """The exit codes of `coroguard gate`; part of the public interface."""

    READY = 0
    FAILED = 1
    CONFIGURATION = 2
    INTERNAL = 3
    INCOMPLETE = 4
    FLAKY = 5


# The first that is found decides: what is known to be bad, then what is not known.
_PRECEDENCE = (
    (ExitCode.FAILED, {Verdict.FAILED}),
    (ExitCode.INTERNAL, {Verdict.ERROR}),
    (ExitCode.FLAKY, {Verdict.FLAKY}),
    (ExitCode.INCOMPLETE, {Verdict.INCOMPLETE, Verdict.NOT_RUN}),
)


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate with its verdict and the evidence for it.

    Args:
        gate: The gate.
        judgement: The verdict that the evidence supports.
        run: The evidence.
        waiver: Why it does not count although it is not green, if it does not.
    """

    gate: Gate
    judgement: Judgement
    run: RunEvidence = field(default_factory=RunEvidence)
    waiver: Waiver | None = None

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that counts."""
        green = self.judgement.verdict is Verdict.PASSED
        return Verdict.WAIVED if self.waiver and not green else self.judgement.verdict

    @property
    def blocks(self) -> bool:
        """Whether this gate blocks the release."""
        green = self.verdict in (Verdict.PASSED, Verdict.WAIVED)
        return self.gate.blocks_deployment and not green

    @property
    def passed(self) -> int:
        """Count the expected tests that passed."""
        return sum(
            self.run.outcome(test) is Outcome.PASSED for test in self.gate.expected
        )

    @property
    def done(self) -> dict[str, tuple[int, int]]:
        """Return how much was done and the least that is asked, by kind."""
        did = amounts(self.run.tests.values())
        return {
            kind: (did.get(kind, 0), least)
            for kind in AMOUNTS
            if (least := self.gate.minimum.get(kind, 0)) or kind in did
        }

    @property
    def evidence(self) -> str:
        """The reason for the verdict, in one line."""
        parts = [f"{self.passed} of {len(self.gate.expected)} tests"]
        for kind, (done, least) in self.done.items():
            noun = kind[:-1] if done == 1 else kind
            parts.append(f"{done} {noun}" + (f" (>= {least})" if least else ""))
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        tests = [self.run.tests.get(test) for test in self.gate.expected]
        return {
            "name": self.gate.name,
            "title": self.gate.title,
            "category": self.gate.category,
            "rule": self.gate.rule,
            "impact": self.gate.impact,
            "blocks_deployment": self.gate.blocks_deployment,
            "verdict": self.verdict,
            "judged": self.judgement.verdict,
            "reasons": list(self.judgement.reasons),
            "waiver": self.waiver
            and {"reason": self.waiver.reason, "until": str(self.waiver.until)},
            "tests": {"expected": len(self.gate.expected), "passed": self.passed},
            "amounts": {
                kind: {"done": done, "minimum": least}
                for kind, (done, least) in self.done.items()
            },
            "services": services(self.run.tests.values()),
            "measures": self.measures,
            "duration_s": round(self.run.duration_s, 3),
            "limit_s": self.gate.limit_s,
            "stacks": self.run.stacks,
            "outcomes": [
                {
                    "id": test_id,
                    "outcome": self.run.outcome(test_id),
                    "text": test.text if test else "",
                    "duration_s": round(test.duration_s, 3) if test else 0.0,
                }
                for test_id, test in zip(self.gate.expected, tests, strict=True)
            ],
        }

    @property
    def measures(self) -> list[dict[str, Any]]:
        """Return the numbers that its tests measured."""
        return [
            measure
            for test in self.run.tests.values()
            for measure in test.record.get("measures", ())
        ]


@dataclass(frozen=True, slots=True)
class Plant:
    """The verdict of one gate on one planted fault.

    Args:
        fault: The fault's name.
        gate: The gate's name.
        caught: Whether the gate turned red because of it.
        verdict: The gate's verdict with the fault planted.
        reason: The first reason that it gave.
    """

    fault: str
    gate: str
    caught: bool
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Whether the engine and each gate turn red on the faults they are there for.

    Args:
        plants: What each gate made of each planted fault.
        unproven: Why a gate, or all of them, were not put to the test.
        engine: What the engine made of its built-in projects.
    """

    plants: tuple[Plant, ...] = ()
    unproven: tuple[str, ...] = ()
    engine: tuple[Plant, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether faults were planted, no gate was fooled, and each was tried."""
        caught = [plant.caught for plant in (*self.plants, *self.engine)]
        return bool(self.plants) and all(caught) and not self.unproven

    @property
    def fooled(self) -> list[str]:
        """Name each fault that a gate did not see."""
        return [
            f"{plant.fault!r} fooled {plant.gate!r}, which was {plant.verdict}"
            + (plant.reason and f": {plant.reason}")
            for plant in (*self.engine, *self.plants)
            if not plant.caught
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "ok": self.ok,
            "plants": [asdict(plant) for plant in self.plants],
            "engine": [asdict(plant) for plant in self.engine],
            "unproven": list(self.unproven),
        }


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the release is ready, gate by gate.

    Args:
        results: The gates that were asked for, in the order of the configuration.
        not_asked: Names of the gates that were not.
        self_test: What the self-test found; `None` without one.
        about: Versions, commit, seeds and all else that identifies the run.
        problem: Why no gate was run, if none was; an exit code comes with it.
        matrix: The cells, where the gates were run in a matrix.
    """

    results: Sequence[GateResult] = ()
    not_asked: Sequence[str] = ()
    self_test: SelfTest | None = None
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problem: tuple[ExitCode, str] | None = None
    matrix: Matrix | None = None

    @property
    def ready(self) -> bool:
        """Whether nothing blocks the release."""
        return self.exit_code is ExitCode.READY

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code; see `docs/reference/gate.md` for the order."""
        if self.problem:
            return self.problem[0]
        red = {result.verdict for result in self.results if result.blocks}
        if self.self_test and not self.self_test.ok:
            return ExitCode.FAILED
        cells = self.matrix.exit_codes if self.matrix else set[ExitCode]()
        for code, verdicts in _PRECEDENCE:
            if red & verdicts or code in cells:
                return code
        blocking = any(result.gate.blocks_deployment for result in self.results)
        return ExitCode.READY if blocking else ExitCode.INCOMPLETE

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, as `--json` writes it."""
        return {
            "schema": SCHEMA,
            "ready": self.ready,
            "exit_code": int(self.exit_code),
            "problem": self.problem[1] if self.problem else "",
            **self.about,
            "gates": [result.to_json() for result in self.results],
            "not_asked": list(self.not_asked),
            "self_test": self.self_test.to_json() if self.self_test else None,
            "matrix": self.matrix.to_json() if self.matrix else None,
        }
