"""Places of cells, their verdicts, and the sentences about them."""

from __future__ import annotations

import sys
from typing import ClassVar

import pytest

from coroguard.gates.config import Config, GateConfig
from coroguard.gates.evidence import RunEvidence
from coroguard.gates.matrix.config import MatrixConfig
from coroguard.gates.matrix.places import CannotRunError, Place, Places
from coroguard.gates.matrix.result import CellResult, Matrix, sentences, worst_of
from coroguard.gates.readiness import ExitCode, GateResult, Readiness
from coroguard.gates.trial import Wishes, try_gates
from coroguard.gates.verdict import Gate, Judgement, Verdict


def place(tmp_path, config, settings):
    places = Places(MatrixConfig.model_validate(config), tmp_path, tmp_path)
    return places.of(settings)


def test_settings_are_variables_of_the_run(tmp_path):
    """Each axis sets its variables and unsets those of its other values."""
    config = {"flags": ["", "-O"], "mode": ["strict"], "env": {"A": ["x", False]}}
    settings = {"flags": "-O", "mode": "strict", "A": False}
    found = place(tmp_path, config, settings)
    assert found.python == sys.executable
    assert found.variables["PYTHONOPTIMIZE"] == "1"
    assert found.variables["PYTHONDEVMODE"] is None
    assert found.variables["COROGUARD_MODE"] == "strict"
    assert found.variables["A"] is None


@pytest.mark.parametrize(
    ("config", "settings", "reason"),
    [
        (
            {"python": ["9.99"]},
            {"python": "9.99"},
            "the interpreter 9.99 is not installed",
        ),
        (
            {"python": ["no/such/python"]},
            {"python": "no/such/python"},
            "the interpreter no/such/python is not installed",
        ),
        (
            {"env": {"NOT_SET_ANYWHERE": [True]}},
            {"NOT_SET_ANYWHERE": True},
            "NOT_SET_ANYWHERE is not set here",
        ),
        (
            {"installed": {"no-such-package-of-ours": [True]}},
            {"no-such-package-of-ours": True},
            "not installed for",
        ),
    ],
    ids=["version", "path", "variable", "package"],
)
def test_a_cell_that_has_no_place(tmp_path, config, settings, reason):
    """What a cell needs and this machine lacks is named."""
    with pytest.raises(CannotRunError, match=reason):
        place(tmp_path, config, settings)


def test_an_interpreter_without_coroguard(tmp_path):
    """An interpreter in which the gates cannot run is refused, with what it lacks."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o700)
    with pytest.raises(CannotRunError, match="coroguard, pytest; install it there"):
        place(tmp_path, {"python": ["./python"]}, {"python": "./python"})


def test_a_run_that_is_not_in_its_cell():
    """A run that reports other conditions than its cell's proves nothing about it."""
    with pytest.raises(CannotRunError, match="had mode 'strict' and not 'off'"):
        Place(facts={"mode": "off"}).check({"mode": "strict"})


def cell(number, verdict=Verdict.PASSED, **more):
    results = [GateResult(Gate("chat"), Judgement(verdict, ("why",)), RunEvidence())]
    return CellResult(number, {"loop": "uvloop"}, readiness=Readiness(results), **more)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([cell(1), cell(2)], ExitCode.READY),
        ([cell(1), cell(2, Verdict.FAILED)], ExitCode.FAILED),
        ([cell(1), cell(2, could_not="no Python 9.99")], ExitCode.INCOMPLETE),
        ([cell(1), cell(2, Verdict.ERROR)], ExitCode.INTERNAL),
        ([cell(1, could_not="x"), cell(2, Verdict.FAILED)], ExitCode.FAILED),
    ],
    ids=["green", "one red", "one could not run", "one broke", "red and could not"],
)
def test_the_worst_cell_decides(cells, code):
    """A release is ready only if every cell ran and is green."""
    readiness = Readiness(worst_of(cells), matrix=Matrix(cells))
    assert readiness.exit_code == code


def test_fewer_cells_than_the_minimum():
    """Cells are evidence: fewer than the configuration asks are INCOMPLETE."""
    cells = [cell(1), cell(2), cell(3, added=True)]
    readiness = Readiness(worst_of(cells), matrix=Matrix(cells, minimum=3))
    assert readiness.exit_code == ExitCode.INCOMPLETE
    assert readiness.matrix.lacks == "2 cells ran, at least 3"


def test_a_gate_is_shown_as_it_is_at_its_worst():
    """The table has each gate once, with the cell in which it is worst."""
    (worst,) = worst_of([cell(1), cell(2, Verdict.FAILED), cell(3)])
    assert worst.verdict is Verdict.FAILED
    assert worst.judgement.reasons == ("in cell 2: why",)


AXES = {"loop": ["asyncio", "uvloop"], "REDIS_URL": ["redis://x", False]}


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            [[frozenset({(0, 1), (1, 1)})]],
            ["fails exactly where the loop is uvloop and REDIS_URL is unset"],
        ),
        (
            [[frozenset({(0, 1)})], [frozenset({(1, 1)})]],
            ["fails where the loop is uvloop", "fails where REDIS_URL is unset"],
        ),
        (
            [[frozenset({(0, 1)}), frozenset({(1, 1)})]],
            [
                "fails where the loop is uvloop; or where REDIS_URL is unset "
                "(no cell distinguishes them)"
            ],
        ),
        ([[frozenset()]], ["fails in every cell"]),
    ],
    ids=["one", "two", "either", "all"],
)
def test_causes_are_sentences(groups, expected):
    """The settings at which gates fail are named in words."""
    assert list(sentences(groups, AXES)) == expected


class FewerTests:
    """Runs of a cell that collects one test of two."""

    def __init__(self, config):
        self.config, self.root = config, config.base

    def collect(self):
        one = {"id": "tests/test_chat.py::test_a", "marks": [], "unknown": []}
        return {
            "collected": [one],
            "uncollected": [],
            "collect_skips": [],
            "faults": {},
            "versions": {},
        }

    environment: ClassVar = {}

    def run(self, gate, verdicts):
        return RunEvidence()


def test_a_cell_that_collects_fewer_tests(tmp_path):
    """A test that another cell has collected is missing in the cell without it."""
    gates = {"chat": GateConfig(tests=["tests"])}
    runs = FewerTests(Config(gates=gates).based_on(tmp_path))
    both = ("tests/test_chat.py::test_a", "tests/test_chat.py::test_b")
    trial = try_gates(runs, Wishes(), lambda _text: None, {"chat": both})
    (gate,) = trial.bench.gates
    assert gate.uncollected == (
        "tests/test_chat.py::test_b (collected in another cell)",
    )
