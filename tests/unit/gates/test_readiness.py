"""Exit codes, and what other tools read."""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from readiness_document import ReadinessDocument

from coroguard.gates.config import Waiver
from coroguard.gates.evidence import Phase, RunEvidence, TestEvidence
from coroguard.gates.exports import as_annotations, as_json, as_junit, as_markdown
from coroguard.gates.matrix.result import CellResult, Matrix
from coroguard.gates.readiness import ExitCode, GateResult, Plant, Readiness, SelfTest
from coroguard.gates.verdict import Gate, Judgement, Verdict


def schema() -> dict[str, object]:
    return ReadinessDocument.model_json_schema(mode="serialization")


CODES = [
    (Verdict.FAILED, ExitCode.FAILED),
    (Verdict.ERROR, ExitCode.INTERNAL),
    (Verdict.FLAKY, ExitCode.FLAKY),
    (Verdict.INCOMPLETE, ExitCode.INCOMPLETE),
    (Verdict.NOT_RUN, ExitCode.INCOMPLETE),
    (Verdict.PASSED, ExitCode.READY),
]
WAIVER = Waiver(gate="g", reason="TICKET-7", until=datetime.date(2999, 1, 1))
FOOLED = SelfTest((Plant("lost", "g", caught=False, verdict="PASSED"),))


def result(verdict, *, blocks=True, waiver=None, text="") -> GateResult:
    gate = Gate("g", expected=("t.py::a",), blocks_deployment=blocks)
    test = TestEvidence("t.py::a", (Phase("call", "failed", text=text),))
    reasons = (text or "why",) if verdict is not Verdict.PASSED else ()
    run = RunEvidence(tests={test.id: test})
    return GateResult(gate, Judgement(verdict, reasons), run, waiver)


@pytest.mark.parametrize(("verdict", "code"), CODES)
def test_code_of_one_gate(verdict, code):
    """Each verdict has its exit code."""
    readiness = Readiness([result(verdict)])
    assert (readiness.exit_code, readiness.ready) == (code, code == 0)


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(CODES, 2)])
def test_precedence(first, second):
    """Of two gates the one further up in the table decides, in either order."""
    results = [result(first[0]), result(second[0])]
    assert Readiness(results).exit_code == first[1]
    assert Readiness(results[::-1]).exit_code == first[1]


@pytest.mark.parametrize("verdict", [v for v, c in CODES if c])
def test_waived(verdict):
    """A waived gate of any verdict is WAIVED and lets the release pass."""
    waived = result(verdict, waiver=WAIVER)
    assert (waived.verdict, Readiness([waived]).exit_code) == (Verdict.WAIVED, 0)
    assert waived.to_json()["judged"] == verdict


def test_a_green_gate_needs_no_waiver():
    """A gate that passed is PASSED although it has a waiver."""
    assert result(Verdict.PASSED, waiver=WAIVER).verdict is Verdict.PASSED


def test_nothing_is_not_ready():
    """Without a gate that blocks there is nothing that proves readiness."""
    assert Readiness().exit_code is ExitCode.INCOMPLETE
    only = Readiness([result(Verdict.PASSED, blocks=False)])
    assert only.exit_code is ExitCode.INCOMPLETE


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (SelfTest((Plant("lost", "g", caught=True, verdict="FAILED"),)), 0),
        (FOOLED, ExitCode.FAILED),
        (SelfTest(unproven=("g: never red",)), ExitCode.FAILED),
        (SelfTest(), ExitCode.FAILED),
    ],
)
def test_self_test(proof, code):
    """A self-test that found a fooled or an unproven gate fails a green release."""
    assert Readiness([result(Verdict.PASSED)], self_test=proof).exit_code == code


def test_a_problem_decides():
    """Where no gate could be run, the problem's exit code is the run's."""
    problem = (ExitCode.CONFIGURATION, "typo")
    readiness = Readiness([result(Verdict.PASSED)], problem=problem)
    assert (readiness.exit_code, readiness.ready) == (ExitCode.CONFIGURATION, False)


AWKWARD = "a \x00 \x1b[31m <b> & | `x` ]]> \ud800 %\r\n::error::ü"
EVERY = Readiness(
    [
        *(result(verdict, text=AWKWARD) for verdict, _ in CODES),
        result(Verdict.FAILED, waiver=WAIVER),
    ],
    self_test=FOOLED,
    matrix=Matrix([CellResult(1, {AWKWARD: False}, could_not=AWKWARD)], (AWKWARD,)),
)


def test_junit_is_valid_with_any_text():
    """The XML parses, and its counts are those of its elements."""
    suites = ET.fromstring(as_junit(EVERY).encode(errors="strict"))
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        failures = len(suite.findall("testcase/failure"))
        assert int(suite.get("failures", "")) == failures
    totals = [int(suite.get("errors", "")) for suite in suites]
    assert int(suites.get("errors", "")) == sum(totals)


def test_json_is_valid_with_any_text():
    """The JSON parses, and no unpaired surrogate keeps it from being written."""
    text = as_json(EVERY)
    assert json.loads(text)["ready"] is False
    assert text.isascii()


def test_the_published_schema_is_the_documents():
    """The published JSON Schema is that of what is written."""
    file = Path(__file__).parents[3] / "docs/reference/readiness.schema.json"
    assert json.loads(file.read_text("utf-8")) == schema()


def test_a_number_that_json_cannot_hold():
    """RFC 8259 has no NaN and no infinity, so they become `null`."""
    measures = [{"name": "a", "value": value, "unit": ""} for value in (1e999, -1e999)]
    test = TestEvidence("t.py::a", record={"measures": measures})
    run = RunEvidence(tests={test.id: test})
    text = as_json(Readiness([GateResult(Gate("g"), Judgement(Verdict.PASSED), run)]))
    plain = json.loads(text, parse_constant=pytest.fail)
    assert [m["value"] for m in plain["gates"][0]["measures"]] == [None, None]


def test_markdown_rows_stay_rows():
    """No text of a test ends a cell, a row or a list."""
    lines = as_markdown(EVERY).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(EVERY.results) + 2 + len(EVERY.matrix.cells)
    assert not any(line.startswith("::") for line in lines)
    assert "<b>" not in as_markdown(EVERY)


def test_annotations_are_ten_lines():
    """GitHub gets at most ten commands, and no text of a test is another."""
    reported = as_annotations(Readiness([result(Verdict.FAILED, text=AWKWARD)] * 20))
    assert len(reported) == 10
    assert all(line.startswith("::error title=FAILED%3A g::a ") for line in reported)
    assert not any("\n" in line or "\r" in line for line in reported)
