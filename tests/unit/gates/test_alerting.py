"""Alerts of a readiness."""

from __future__ import annotations

import datetime

from coroguard.alerts import AlertSettings
from coroguard.gates import alerting
from coroguard.gates.alerting import alerts_of, send_alerts
from coroguard.gates.config import Waiver
from coroguard.gates.readiness import ExitCode, GateResult, Plant, Readiness, SelfTest
from coroguard.gates.verdict import Gate, Judgement, Verdict

SETTINGS = AlertSettings(url="http://127.0.0.1/", impact="90% of platform value")


def result(name, verdict, *, waiver=None, **more):
    judgement = Judgement(verdict, (f"{name} was {verdict}", "and more"))
    return GateResult(Gate(name, **more), judgement, waiver=waiver)


def test_only_what_blocks_is_an_alert():
    """Green, waived and advisory gates send nothing."""
    until = datetime.date(2026, 1, 1)
    waiver = Waiver(gate="waived", reason="known", until=until)
    readiness = Readiness(
        results=[
            result("green", Verdict.PASSED),
            result("advice", Verdict.FAILED, blocks_deployment=False),
            result("waived", Verdict.FAILED, waiver=waiver),
            result("red", Verdict.FAILED, title="GATE 1", impact="no chat"),
            result("unsure", Verdict.INCOMPLETE),
        ]
    )
    red, unsure = alerts_of(readiness, SETTINGS)
    assert red.title == "GATE 1: FAILED"
    assert red.message == "Deployment blocked: red was FAILED; and more"
    assert (red.impact, red.urgency) == ("no chat", "immediate")
    assert unsure.title == "unsure: INCOMPLETE"
    assert unsure.impact == "90% of platform value"
    assert red.labels != unsure.labels


def test_what_kept_the_gates_from_running_is_an_alert():
    """A problem without any result is an alert of its own."""
    problem = (ExitCode.INTERNAL, "coroguard itself broke\nTraceback ...")
    (alert,) = alerts_of(Readiness(problem=problem), SETTINGS)
    assert alert.message == "Deployment blocked: coroguard itself broke"


def test_a_failed_self_test_is_an_alert():
    """Gates that cannot see a planted fault block, and are named."""
    plant = Plant("swallowed", "error handler", caught=False, verdict="PASSED")
    readiness = Readiness(self_test=SelfTest(plants=(plant,)))
    (alert,) = alerts_of(readiness, SETTINGS)
    assert "'swallowed' fooled 'error handler'" in alert.message


def test_an_alert_that_is_refused_is_named(monkeypatch, capsys):
    """Standard error names what was not delivered; nothing is raised."""
    refuse = lambda alerts, settings: "127.0.0.1 answered 404"  # noqa: E731
    monkeypatch.setattr(alerting, "deliver", refuse)
    send_alerts(Readiness(results=[result("red", Verdict.FAILED)]), SETTINGS)
    expected = "coroguard: the alert was not delivered: 127.0.0.1 answered 404\n"
    assert capsys.readouterr().err == expected


def test_a_green_release_sends_nothing(monkeypatch):
    """Where nothing blocks, no request is made."""
    sent = []
    monkeypatch.setattr(alerting, "deliver", lambda *alerts: sent.append(alerts))
    send_alerts(Readiness(results=[result("green", Verdict.PASSED)]), SETTINGS)
    assert sent == []
