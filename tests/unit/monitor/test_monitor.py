"""One run of the monitor: what it finds, returns, publishes and alerts."""

from __future__ import annotations

import datetime
import socket
import sys

import pytest

from coroguard import subscribe
from coroguard._runtime.hot import HOT
from coroguard.alerts import Alerts, AlertSettings
from coroguard.cli import main
from coroguard.monitor import alerting, command
from coroguard.monitor.findings import DRIFT, Finding, Round

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MODULE = """
from coroguard import HealthReport, guard


async def is_connected():
    return True


def leaks():
    return not is_connected()


def works():
    return {"queue": 3}


async def fails():
    raise ConnectionRefusedError("password=hunter2")


WELL = {"works": works}
ILL = {"works": works, "leaks": leaks, "fails": fails}


def unguarded():
    return {
        "healthy": True,
        "failed_components": [],
        "component_details": {"database": {"status": "healthy", "duration_ms": 7.0}},
        "error_suggestions": [],
        "timestamp": "2026-01-01T00:00:00Z",
        "summary": "all is well",
    }


@guard
def report():
    return unguarded()


@guard
def forgotten():
    return is_connected()
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A project with checks, in a module that each test imports anew."""
    (tmp_path / "monitored_checks.py").write_text(MODULE)
    (tmp_path / "broken_checks.py").write_text("1 / 0\n")
    (tmp_path / "needs_more.py").write_text("import no_such_requirement\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("COROGUARD_ALERT_URL", raising=False)
    yield tmp_path
    for name in ("monitored_checks", "broken_checks", "needs_more"):
        sys.modules.pop(name, None)


def once(name, *options):
    command = ["monitor", f"monitored_checks:{name}", "--once", "--deadline-s", "60"]
    return main([*command, *options])


def test_a_healthy_service(capsys):
    """All checks are healthy: exit code 0, and one line."""
    assert once("WELL") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert " healthy  1 of 1 checks are healthy, slowest works " in line


@pytest.mark.filterwarnings("ignore:coroutine 'is_connected' was never awaited")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_leak_fails_in_every_mode(capsys):
    """A truth-tested coroutine is a check that failed; a secret is not shown."""
    assert once("ILL") == 1
    out = capsys.readouterr().out
    assert "failed   leaks: COROUTINE_LEAK: coroutine 'is_connected'" in out
    assert "failed   fails: CHECK_RAISED: ConnectionRefusedError" in out
    assert "hunter2" not in out


def test_a_function_that_returns_a_report(capsys):
    """The components of the report are what is shown."""
    assert once("report") == 0
    assert "slowest database 7.0 ms" in capsys.readouterr().out


def test_the_seeds_bug(capsys):
    """A health check that returns a coroutine is unhealthy."""
    assert once("forgotten") == 1
    assert "COROUTINE_LEAK" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("WELL", {"works": "healthy"}),
        ("report", {"report": "healthy"}),
        ("unguarded", {"unguarded": "healthy"}),
        ("forgotten", {"forgotten": "leaked"}),
    ],
)
def test_each_check_is_published_once(name, published):
    """Those who are subscribed to calls get each check, by its component's name."""
    calls = []
    unsubscribe = subscribe(calls.append, calls=True)
    try:
        once(name)
    finally:
        unsubscribe()
    assert [(call.check, call.outcome) for call in calls] == [*published.items()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["monitored_checks"], "is not the path of a check; write module:function"),
        (["monitored_check:WELL"], "there is no module 'monitored_check'"),
        (["monitored_checks:WEL"], "there is no 'WEL'. Did you mean 'WELL'?"),
        (["broken_checks:x"], "broken_checks cannot be imported: ZeroDivisionError"),
        (["needs_more:x"], "needs_more cannot be imported: ModuleNotFoundError"),
        (["monitored_checks:AT"], "there is no 'AT'"),
        (["monitored_checks:__name__"], "coroguard monitor"),
        (["monitored_checks:WELL", "--every", "soon"], "--every soon is not a durati"),
        (["monitored_checks:WELL", "--drift-every", "x"], "--drift-every x is not a"),
        (["monitored_checks:WELL", "--lock", "no.lock"], "there is no lock no.lock"),
        (["monitored_checks:WELL", "--alert"], "set COROGUARD_ALERT_URL"),
        (["monitored_checks:WELL", "--deadline-s", "0"], "deadline_s=0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments(arguments, message, capsys):
    """Each is refused with exit code 2, before anything is checked."""
    assert main(["monitor", *arguments, "--once"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err


def test_a_port_that_is_taken(capsys):
    """It is a wrong argument, and named; nothing stays subscribed."""
    pytest.importorskip("prometheus_client", reason="an optional package")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert once("WELL", "--port", str(taken.getsockname()[1])) == 2
    assert "coroguard: [Errno " in capsys.readouterr().err
    assert not HOT.timed


def test_a_lock_that_has_drifted(project, capsys, monkeypatch):
    """Drift fails like a check; its text is what `lock --check` writes."""
    drift = Finding(check=DRIFT, status="failed", text="was sync and is async now")
    asked = []
    monkeypatch.setattr(command, "drift_from", lambda lock: asked.append(lock) or drift)
    (project / "pyproject.toml").touch()
    (project / "coroguard.lock").touch()
    assert once("WELL") == 1
    assert asked == [project / "coroguard.lock"]
    assert "failed   lock: was sync and is async now" in capsys.readouterr().out


class Sent(Alerts):
    """A sink that keeps what it would send."""

    def __init__(self, **settings):
        super().__init__(AlertSettings(url="http://127.0.0.1/", **settings))
        self.fired, self.resolved = [], []

    def fire(self, alert):
        self.fired.append(alert)

    def resolve(self, labels):
        self.resolved.append(dict(labels))


def test_what_fails_is_an_alert_and_what_is_well_resolves():
    """Each component has one alert, known by its name; degraded ones have none."""
    sent = Sent(service="chat")
    findings = [
        Finding(check="redis", status="failed", text="LATE: no answer"),
        Finding(check="mail", status="degraded"),
        Finding(check=DRIFT, status="failed", text="changed"),
    ]
    alerting.send_alerts(Round(findings=findings, at=AT), sent)
    redis, drift = sent.fired
    assert redis.title == "Health check redis fails"
    assert redis.message == "LATE: no answer"
    assert redis.impact == "what depends on redis does not work"
    assert (redis.urgency, redis.started) == ("immediate", AT)
    assert dict(redis.labels)["alertname"] == "HealthCheckUnhealthy"
    assert dict(drift.labels)["alertname"] == "CodeDrifted"
    assert [labels["check"] for labels in sent.resolved] == ["mail"]


def test_a_configured_impact_wins():
    """What the project writes about its impact is what each alert states."""
    sent = Sent(impact="90% of platform value at risk")
    findings = [Finding(check="redis", status="failed", text="x")]
    alerting.send_alerts(Round(findings=findings, at=AT), sent)
    assert sent.fired[0].impact == "90% of platform value at risk"
