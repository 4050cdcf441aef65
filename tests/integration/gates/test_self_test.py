"""Planted faults turn their gates red, and a gate that is fooled is named."""

from __future__ import annotations

import pytest

from coroguard.gates.readiness import ExitCode

CONFIG = """
[tool.coroguard]
self_test = {self_test}
[tool.coroguard.gates.chat]
[tool.coroguard.gates.summary]
needs = ["chat"]
"""
TESTS = """
import os, time, pytest
planted = os.environ.get("COROGUARD_PLANT")

@pytest.mark.gate("chat")
def test_chat():
    if planted == "hang":
        with open("hangs", "a") as file:
            file.write("!")
        time.sleep(1000)
    if planted == "unseen setup":
        pytest.skip("nothing to see")
    if planted == "broken plant":
        raise KeyError("a name that the plant forgot")
    assert planted != "lost message"

@pytest.mark.gate("summary")
def test_summary(gate_record):
    assert set(gate_record.verdicts.values()) == {"PASSED"}
"""


@pytest.fixture
def planted(project):
    """A project whose gate sees two faults, and whose summary needs that gate."""

    def set_up(self_test: str):
        project.write("pyproject.toml", CONFIG.format(self_test=self_test))
        project.write("tests/test_chat.py", TESTS)
        return project

    return set_up


def test_every_fault_is_seen(planted):
    """A self-test in which each gate turns red leaves the release ready."""
    ran = planted('{ "lost message" = ["chat", "summary"] }').gate("--self-test")
    assert (ran.code, ran.report["self_test"]["ok"]) == (0, True)
    assert "self-test: 2 of 2 planted faults were seen" in ran.out


def test_the_engine_is_put_to_the_test(planted):
    """The self-test runs built-in projects, of which all but one must be red."""
    ran = planted('["lost message"]').gate("--self-test")
    engine = {each["fault"]: each for each in ran.report["self_test"]["engine"]}
    assert engine["a sound test"]["verdict"] == "PASSED"
    del engine["a sound test"]
    assert {each["verdict"] for each in engine.values()} == {
        "FAILED",
        "ERROR",
        "INCOMPLETE",
    }
    assert all(each["caught"] for each in engine.values())


@pytest.mark.parametrize(
    ("fault", "verdict"), [("broken plant", "FAILED"), ("hang", "ERROR")]
)
def test_only_an_assertion_or_a_leak_has_seen_a_fault(planted, fault, verdict):
    """A gate that breaks or hangs under a fault may do so for another reason."""
    table = f'{{ "lost message" = ["chat", "summary"], "{fault}" = ["chat"] }}'
    ran = planted(table).gate("--self-test", jumps_at="hangs")
    assert ran.code == ExitCode.FAILED
    assert f"'{fault}' fooled 'chat', which was {verdict}" in ran.out


def test_a_gate_that_is_red_only_by_its_need(planted):
    """A gate has to see a fault itself; being red with a gate it needs is not that."""
    project = planted('{ "lost message" = ["chat", "summary"] }')
    blind = TESTS.replace('assert set(gate_record.verdicts.values()) == {"PASSED"}', "")
    project.write("tests/test_chat.py", blind + "    pass\n")
    ran = project.gate("--self-test")
    assert ran.code == ExitCode.FAILED
    assert "'lost message' fooled 'summary', which was PASSED" in ran.out


def test_no_plant_proves_nothing(planted):
    """Where no green gate had a fault planted, the self-test fails."""
    project = planted('{ "lost message" = ["chat"] }')
    project.write(
        "tests/test_chat.py", TESTS.replace("assert planted !=", "assert 0 ==")
    )
    ran = project.gate("--self-test")
    assert (ran.code, ran.report["self_test"]["ok"]) == (ExitCode.FAILED, False)
    assert "no fault was planted" in ran.out


def test_a_fault_that_fools_a_gate(planted):
    """A gate that stays green is named with the fault that fooled it."""
    table = '{ "lost message" = ["chat", "summary"], "wrong user" = ["chat"] }'
    ran = planted(table).gate("--self-test")
    assert (ran.code, ran.report["ready"]) == (ExitCode.FAILED, False)
    assert "'wrong user' fooled 'chat', which was PASSED" in ran.out


def test_skipping_is_not_seeing(planted):
    """A gate that turns red for want of evidence has not seen the fault."""
    table = '{ "lost message" = ["chat", "summary"], "unseen setup" = ["chat"] }'
    ran = planted(table).gate("--self-test")
    assert ran.code == ExitCode.FAILED
    assert "'unseen setup' fooled 'chat', which was INCOMPLETE" in ran.out


def test_a_gate_that_no_fault_is_for(planted):
    """A gate that was never turned red is unproven, and that is a failure."""
    ran = planted('{ "lost message" = ["chat"] }').gate("--self-test")
    assert ran.code == ExitCode.FAILED
    assert "summary: no planted fault turned it red" in ran.out


def test_a_list_of_faults(planted):
    """Faults that are for no gate in particular have to be seen by some gate."""
    assert planted('["lost message"]').gate("--self-test").code == 0
    assert planted('["unheard of"]').gate("--self-test").code == ExitCode.FAILED


def test_faults_of_a_module(planted):
    """A table of faults may be in a module of the project."""
    project = planted('"faults:FAULTS"')
    project.write("faults.py", "FAULTS = {'lost message': ['chat', 'summary']}")
    assert project.gate("--self-test").code == 0
    project.write("faults.py", "FAULTS = {'lost message': ['chta']}")
    ran = project.gate("--self-test")
    assert ran.code == ExitCode.CONFIGURATION
    assert "Did you mean 'chat'?" in ran.out


def test_a_plant_that_was_left(planted):
    """A fault left in the environment is not planted into the real run."""
    project = planted('["lost message"]')
    project.environment["COROGUARD_PLANT"] = "lost message"
    assert project.gate().code == 0


def test_no_fault(project):
    """A self-test without any fault is refused."""
    ran = project.gate("--self-test")
    assert ran.code == ExitCode.CONFIGURATION
    assert "--self-test has no fault to plant" in ran.out
