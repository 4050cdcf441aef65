"""`coroguard gate --alert` against a real receiver."""

from __future__ import annotations

import pytest

from coroguard.demo.receiver import Receiver

RED = """
import pytest

@pytest.mark.gate("chat")
def test_chat():
    assert "coroutine" == "dict", "health_report is a coroutine"
"""


@pytest.fixture
def receiver(project):
    with Receiver() as receiver:
        project.environment["COROGUARD_ALERT_URL"] = receiver.url
        project.environment["NO_PROXY"] = "127.0.0.1"
        yield receiver


def test_a_gate_that_blocks_is_an_alert(project, receiver):
    """The seed's four fields arrive: title, message, impact and urgency."""
    project.write("tests/test_chat.py", RED)
    ran = project.gate("--alert")
    assert (ran.code, ran.err) == (1, "")
    ((sent,),) = [body["alerts"] for body in receiver.bodies]
    notes = sent["annotations"]
    assert notes["title"] == "chat: FAILED"
    assert notes["message"].startswith("Deployment blocked: ")
    assert "health_report is a coroutine" in notes["message"]
    assert (notes["impact"], notes["urgency"]) == ("no chat", "immediate")
    assert sent["labels"]["alertname"] == "DeploymentBlocked"
    assert sent["labels"]["gate"] == "chat"


def test_gates_that_did_not_run_are_an_alert(project, receiver):
    """A mistake of the configuration blocks the release as well."""
    project.write("pyproject.toml", "[tool.coroguard]\ngats = 1\n")
    assert project.gate("--alert").code == 2
    (sent,) = receiver.alerts
    assert sent["annotations"]["title"] == "Deployment gates did not run"
    assert "gats is not a key" in sent["annotations"]["message"]


def test_an_alert_without_a_receiver(project):
    """`--alert` without a URL is refused before any gate runs."""
    ran = project.gate("--alert")
    assert (ran.code, ran.report) == (2, {})
    assert "set COROGUARD_ALERT_URL, or write url in" in ran.err
