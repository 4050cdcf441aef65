"""The bodies that are sent, and when a request is tried again."""

from __future__ import annotations

import datetime

import pytest

from coroguard.alerts import Alert, AlertSettings, delivery
from coroguard.alerts.delivery import deliver

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
SETTINGS = AlertSettings(url="http://127.0.0.1/hook", service="chat")


def alert(name, ended=None):
    return Alert(
        labels=(("alertname", name), ("service", "chat")),
        title="t",
        message="m",
        impact="i",
        urgency="immediate",
        started=NOW,
        ended=ended,
    )


def test_the_webhook_body_is_alertmanagers():
    """A receiver that is written for Alertmanager reads ours: version 4."""
    body = delivery.as_webhook([alert("a"), alert("b", ended=NOW)], SETTINGS, 3)
    assert set(body) == {
        "version",
        "groupKey",
        "truncatedAlerts",
        "status",
        "receiver",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "alerts",
    }
    assert (body["version"], body["status"]) == ("4", "firing")
    assert body["truncatedAlerts"] == 3
    assert body["commonLabels"] == {"service": "chat"}
    first, second = body["alerts"]
    assert first["annotations"] == {
        "title": "t",
        "message": "m",
        "impact": "i",
        "urgency": "immediate",
    }
    assert (first["status"], first["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (second["status"], second["endsAt"]) == ("resolved", NOW.isoformat())
    assert first["fingerprint"] != second["fingerprint"]


def test_all_resolved_is_resolved():
    """The group is resolved when nothing in it fires."""
    assert delivery.as_webhook([alert("a", NOW)], SETTINGS)["status"] == "resolved"


def test_the_fingerprint_is_that_of_the_labels():
    """Firing and resolved alerts of one place have the same fingerprint."""
    before, after = alert("a").to_json(), alert("a", NOW).to_json()
    assert before["fingerprint"] == after["fingerprint"]


def test_alertmanagers_own_api_has_a_list():
    """Its API takes a list, in which what fires has an end that lies ahead."""
    settings = AlertSettings(url="http://127.0.0.1:9093/api/v2/alerts")
    firing, ended = delivery.as_api([alert("a"), alert("b", NOW)], settings)
    assert set(firing) == {"labels", "annotations", "startsAt", "endsAt"}
    assert firing["endsAt"] > datetime.datetime.now(datetime.UTC).isoformat()
    assert ended["endsAt"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("answers", "attempts", "expected"),
    [
        ([("", False)], 1, ""),
        ([("down", True), ("", False)], 2, ""),
        ([("answered 404", False), ("", False)], 1, "answered 404"),
        ([("down", True)] * 9, 6, "down"),
    ],
    ids=["at once", "second attempt", "refused", "down"],
)
def test_attempts(answers, attempts, expected, monkeypatch):
    """What may recover is tried again, with growing pauses; what is refused is not."""
    waited, posted = [], []

    def post(body, settings):
        posted.append(body)
        return answers.pop(0)

    monkeypatch.setattr(delivery, "_post", post)
    assert deliver([alert("a")], SETTINGS, wait=waited.append) == expected
    assert len(posted) == attempts
    assert waited == list(delivery.BACKOFF_S[: attempts - 1])
    assert len(set(posted)) == 1


def test_waiting_may_end_the_attempts(monkeypatch):
    """A sink that is closed meanwhile does not try again."""
    monkeypatch.setattr(delivery, "_post", lambda *_: ("down", True))
    assert deliver([alert("a")], SETTINGS, wait=lambda _: True) == "down"
