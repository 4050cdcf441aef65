"""The keys of `[tool.coroguard]`, and the refusals of everything else."""

from __future__ import annotations

import datetime
import tomllib

import pytest

from coroguard._pyproject import find_root
from coroguard.gates.config import SNIPPET, load
from coroguard.gates.errors import GateConfigError

TODAY = datetime.date(2026, 11, 23)
GATES = "[tool.coroguard.gates.chat]\n[tool.coroguard.gates.users]\n"


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        (tmp_path / "pyproject.toml").write_text(text)
        return tmp_path

    return write


def refusal(folder) -> str:
    with pytest.raises(GateConfigError) as refused:
        load(folder, TODAY)
    return str(refused.value)


MATRIX = "[tool.coroguard.matrix]\n"
WRONG = {
    "a key of the matrix": (
        MATRIX + "loops = ['uvloop']\n" + GATES,
        "tool.coroguard.matrix.loops is not a key. Did you mean 'loop'?",
    ),
    "a loop": (
        MATRIX + "loop = ['uvlop']\n" + GATES,
        "tool.coroguard.matrix.loop[0] = 'uvlop' is not one of 'asyncio', 'uvloop'. "
        "Did you mean 'uvloop'?",
    ),
    "a flag": (
        MATRIX + "flags = ['--O']\n" + GATES,
        "Did you mean '-O'?",
    ),
    "a value twice": (
        MATRIX + "mode = ['off', 'off']\n" + GATES,
        "tool.coroguard.matrix.mode = ['off', 'off'] a value is listed twice",
    ),
    "an interpreter": (
        MATRIX + "python = ['python3']\n" + GATES,
        "tool.coroguard.matrix.python[0] = 'python3' is not an interpreter",
    ),
    "a variable of Python": (
        MATRIX + "env = { PYTHONPATH = ['x'] }\n" + GATES,
        "cannot be an axis",
    ),
    "a number as the value of a variable": (
        MATRIX + "env = { WORKERS = [3] }\n" + GATES,
        "tool.coroguard.matrix.env.WORKERS[0] = 3 is not a text, true",
    ),
    "an unset version": (
        MATRIX + "installed = { redis = [false] }\n" + GATES,
        "is not a version; write one such as '2.10'",
    ),
    "a matrix without an axis": (MATRIX + GATES, "tool.coroguard.matrix has no axis"),
    "an excluded axis": (
        MATRIX + "loop = ['asyncio']\nexclude = [{ lop = 'asyncio' }]\n" + GATES,
        "exclude[0]: 'lop' is not an axis. Did you mean 'loop'?",
    ),
    "an excluded value": (
        MATRIX + "loop = ['asyncio']\nexclude = [{ loop = 'uvloop' }]\n" + GATES,
        "exclude[0]: 'uvloop' is not a value of 'loop'",
    ),
    "everything excluded": (
        MATRIX + "loop = ['asyncio']\nexclude = [{ loop = 'asyncio' }]\n" + GATES,
        "tool.coroguard.matrix.exclude leaves no cell",
    ),
    "a minimum of cells": (
        MATRIX + "loop = ['asyncio']\nminimum = { cell = 2 }\n" + GATES,
        "matrix.minimum.cell is not a key. Did you mean 'cells'?",
    ),
    "a key of the table": (
        "[tool.coroguard]\nguardd = []\n" + GATES,
        "tool.coroguard.guardd is not a key. Did you mean 'guarded'?",
    ),
    "a key of a gate": (
        GATES + "limits = 3",
        "tool.coroguard.gates.users.limits is not a key. Did you mean 'limit_s'?",
    ),
    "a kind of amount": (
        GATES + "minimum = { scenarois = 3 }",
        "gates.users.minimum.scenarois is not a key. Did you mean 'scenarios'?",
    ),
    "a key of a waiver": (
        '[tool.coroguard]\nwaivers = [{gate = "chat", why = "x", until = 2027-01-01}]\n'
        + GATES,
        "tool.coroguard.waivers[0].reason is missing",
    ),
    "a waiver without a reason": (
        "[tool.coroguard]\n"
        'waivers = [{gate = "chat", reason = " ", until = 2027-01-01}]\n' + GATES,
        "tool.coroguard.waivers[0].reason",
    ),
    "a waiver that expired": (
        "[tool.coroguard]\n"
        'waivers = [{gate = "chat", reason = "x", until = 2026-11-22}]\n' + GATES,
        "expired on 2026-11-22; remove it, or give it a new reason and a new date",
    ),
    "a waiver without a near end": (
        "[tool.coroguard]\n"
        'waivers = [{gate = "chat", reason = "x", until = 2027-11-25}]\n' + GATES,
        "runs until 2027-11-25; a waiver ends within 366 days",
    ),
    "a name of two lines": (
        '[tool.coroguard.gates."chat\\nREADY"]',
        "'chat\\nREADY' cannot be shown as a name",
    ),
    "no limit at all": (GATES + "limit_s = inf", "limit_s = inf"),
    "a configuration of pytest that is not there": (
        '[tool.coroguard]\npytest_ini = "conf/pytest.ini"\n' + GATES,
        "tool.coroguard.pytest_ini = 'conf/pytest.ini' does not exist",
    ),
    "a table with a typo": (
        "[tool.corogaurd.gates.chat]",
        "[tool.corogaurd] is not read. Did you mean [tool.coroguard]?",
    ),
    "a table outside of tool": (
        "[coroguard.gates.chat]",
        "[coroguard] is not read. Did you mean [tool.coroguard]?",
    ),
    "a table of gates with a typo": (
        "[tool.coroguard.gate.chat]",
        "tool.coroguard.gate is not a key. Did you mean 'gates'?",
    ),
    "a waiver of no gate": (
        "[tool.coroguard]\n"
        'waivers = [{gate = "chatt", reason = "x", until = 2027-01-01}]\n' + GATES,
        "names 'chatt', which is not a gate. Did you mean 'chat'?",
    ),
    "a category": (
        GATES + 'category = "critcal"',
        "'critcal' is not one of unit, integration, critical. Did you mean 'critical'?",
    ),
    "an amount of text": (GATES + 'minimum = { users = "3" }', "minimum.users = '3'"),
    "a negative amount": (GATES + "minimum = { users = -1 }", "minimum.users = -1"),
    "no time at all": (GATES + "limit_s = 0", "limit_s = 0"),
    "a need that comes later": (
        '[tool.coroguard.gates.a]\nneeds = ["b"]\n[tool.coroguard.gates.b]',
        "'b' is not a gate before this one",
    ),
    "an unknown service": (
        '[tool.coroguard]\nservices = {redis = "REDIS_URL"}\n'
        + GATES
        + 'services = ["rediss"]',
        "'rediss' is not in tool.coroguard.services. Did you mean 'redis'?",
    ),
    "a fault for no gate": (
        '[tool.coroguard]\nself_test = {lost = ["chatt"]}\n' + GATES,
        "self_test.lost names 'chatt', which is not a gate. Did you mean 'chat'?",
    ),
    "a guarded function without a module": (
        '[tool.coroguard]\nguarded = ["check"]\n' + GATES,
        "tool.coroguard.guarded[0] = 'check'",
    ),
    "no TOML": ("[tool.coroguard", "cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(write, name):
    """What is written wrongly is refused by its path, with what to type."""
    text, told = WRONG[name]
    assert told in refusal(write(text))


def test_all_that_is_wrong_is_named_at_once(write):
    """One run shows every mistake."""
    told = refusal(write(GATES + "limits = 3\nimpct = 1\n"))
    assert "limits" in told
    assert "impct" in told


@pytest.mark.parametrize("text", [None, "", "[tool.coroguard]\nprotect = []"])
def test_without_gates_there_is_something_to_paste(tmp_path, text):
    """Where no gate is configured, the refusal holds a snippet that loads."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert SNIPPET in refusal(tmp_path)
    (tmp_path / "pyproject.toml").write_text(SNIPPET)
    assert list(load(tmp_path, TODAY).gates) == ["health report"]


def test_a_waiver_holds_through_its_last_day(write):
    """A waiver counts until the end of the day that it names."""
    waiver = 'waivers = [{gate = "chat", reason = "x", until = 2026-11-23}]\n'
    config = load(write("[tool.coroguard]\n" + waiver + GATES), TODAY)
    assert config.waiver("chat") == config.waivers[0]
    assert config.waiver("users") is None


@pytest.mark.parametrize(
    "value", ['"faults:FAULTS"', '["lost"]', '{ lost = ["chat"] }', "[]"]
)
def test_forms_of_the_self_test(write, value):
    """Faults are a list, a table by fault, or a table that a module holds."""
    config = load(write(f"[tool.coroguard]\nself_test = {value}\n{GATES}"), TODAY)
    assert config.self_test == tomllib.loads(f"x = {value}")["x"]


def test_the_root_is_found_upwards(write):
    """The nearest folder with a `pyproject.toml` is the project."""
    root = write(GATES)
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    assert find_root(inner) == root.resolve()


def test_a_project_that_configures_alerts_can_run_its_gates(write):
    """The table of alerts is a key of ours, which `coroguard.alerts` reads."""
    text = '[tool.coroguard.alerts]\nurl = "https://alerts.example.com/hook"\n' + GATES
    assert load(write(text), TODAY).gates
