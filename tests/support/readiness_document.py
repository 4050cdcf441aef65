"""The schema of the file that `coroguard gate --json` writes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from coroguard.gates.evidence import Outcome  # pydantic reads it
from coroguard.gates.verdict import Verdict  # pydantic reads it

_Count = Annotated[int, Field(ge=0)]
_Seconds = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Commit(_Part):
    """The commit of the project; ``dirty`` where the work tree differs from it."""

    id: str
    dirty: bool


class Asked(_Part):
    """The options of the command."""

    categories: list[str]
    patterns: list[str]
    real_services: bool
    fail_fast: bool
    self_test: bool
    matrix: Literal["", "as configured", "pairwise", "full"]


class WaiverPart(_Part):
    """Why a gate counts as green, and until which day."""

    reason: str
    until: str


class TestCount(_Part):
    """The number of tests that a gate expects, and of those that passed."""

    __test__ = False

    expected: _Count
    passed: _Count


class Amount(_Part):
    """An amount that was measured, and the least that the configuration requires."""

    done: _Count
    minimum: _Count


class ServicePart(_Part):
    """A service that tests used, and whether it was the real one for all of them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    real: bool
    version: str


class Measure(_Part):
    """A number that a test measured; ``null`` where JSON has no such number."""

    name: str
    value: float | None
    unit: str


class TestPart(_Part):
    """One expected test."""

    __test__ = False

    id: str
    outcome: Outcome
    text: str
    duration_s: _Seconds


class GatePart(_Part):
    """One gate with its evidence."""

    name: str
    title: str
    category: Literal["", "unit", "integration", "critical"]
    rule: str
    impact: str
    blocks_deployment: bool
    verdict: Verdict
    judged: Verdict
    reasons: list[str]
    waiver: WaiverPart | None
    tests: TestCount
    amounts: dict[str, Amount]
    services: list[ServicePart]
    measures: list[Measure]
    duration_s: _Seconds
    limit_s: _Seconds
    stacks: str
    outcomes: list[TestPart]


class PlantPart(_Part):
    """The verdict on a planted fault, or on a project that is built in."""

    fault: str
    gate: str
    caught: bool
    verdict: str
    reason: str


class SelfTestPart(_Part):
    """The findings of the self-test."""

    ok: bool
    plants: list[PlantPart]
    engine: list[PlantPart]
    unproven: list[str]


class CellPart(_Part):
    """One cell of the matrix; ``added`` where it was run to find a cause."""

    number: Annotated[int, Field(ge=1)]
    settings: dict[str, str | bool]
    added: bool
    verdict: Verdict
    reason: str
    gates: dict[str, Verdict]
    versions: dict[str, str]
    duration_s: _Seconds


class MatrixPart(_Part):
    """The cells of a matrix, and the settings at which gates fail."""

    full: bool
    possible: _Count
    minimum: _Count
    ran: _Count
    cells: list[CellPart]
    causes: list[str]


class ReadinessDocument(_Part):
    """The whole readiness, as it is written."""

    schema_number: Literal[2] = Field(alias="schema")
    ready: bool
    exit_code: Literal[0, 1, 2, 3, 4, 5]
    problem: str
    started: str
    duration_s: _Seconds
    root: str
    asked: Asked
    commit: Commit | None
    seeds: dict[str, str]
    versions: dict[str, str]
    left_out: list[str]
    gates: list[GatePart]
    not_asked: list[str]
    self_test: SelfTestPart | None
    matrix: MatrixPart | None
