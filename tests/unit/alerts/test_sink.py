"""The sink: once a place, resolved when quiet, bounded, never in the way."""

from __future__ import annotations

import asyncio
import datetime
import os
import socket
import threading
from typing import Any

import pytest

from coroguard import CoroutineLeakError, guard, mode
from coroguard.alerts import Alert, Alerts, AlertSettings, delivery, install, sink

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
PATIENCE_S = 60


class Posts:
    """Takes the place of HTTP; an answer is why a request failed, or nothing."""

    def __init__(self):
        self.bodies = []
        self.dropped = 0
        self.answers = []
        self.arrival = threading.Condition()
        self.gate = threading.Event()
        self.gate.set()

    def deliver(self, alerts, settings, *, dropped=0, wait=None):
        self.gate.wait(PATIENCE_S)
        with self.arrival:
            self.bodies.append(list(alerts))
            self.dropped += dropped
            self.arrival.notify_all()
            return self.answers.pop(0) if self.answers else ""

    @property
    def statuses(self):
        return [(it.status, dict(it.labels)) for body in self.bodies for it in body]

    def wait_for(self, count):
        with self.arrival:
            found = self.arrival.wait_for(
                lambda: len(self.statuses) >= count, PATIENCE_S
            )
        assert found, self.statuses


@pytest.fixture
def posts(monkeypatch):
    posts = Posts()
    monkeypatch.setattr(sink, "deliver", posts.deliver)
    yield posts
    posts.gate.set()


@pytest.fixture
def alerts(posts):
    """Return a function that starts a sink; all of them end with the test."""
    started = []

    def start(**settings):
        url = settings.pop("url", "http://127.0.0.1/hook")
        found = Alerts(AlertSettings(url=url, **settings))
        started.append(found)
        return found

    yield start
    posts.gate.set()
    for one in started:
        one.close()


async def is_connected():
    return True


@guard(returns=Any)
def check_redis():
    return {"secret-key": is_connected()}


@guard(returns=Any)
def check_mail():
    return is_connected()


def leak(check=check_redis):
    with mode("enforce"), pytest.raises(CoroutineLeakError):
        check()


def alert(name="x"):
    return Alert(
        labels=(("alertname", name),),
        title="t",
        message="m",
        impact="i",
        urgency="u",
        started=NOW,
    )


def test_a_leak_has_the_four_fields(alerts, posts):
    """Title, message, impact and urgency arrive, without the path in the value."""
    found = alerts(impact="90% of platform value at risk", service="chat")
    found.subscribe()
    leak()
    posts.wait_for(1)
    ((sent,),) = posts.bodies
    assert sent.title == "Coroutine leak in check_redis"
    assert "leaked:   coroutine 'is_connected' (async def, " in sent.message
    assert "fix:      await is_connected(...)" in sent.message
    assert "secret-key" not in str(sent)
    assert sent.impact == "90% of platform value at risk"
    assert sent.urgency == "immediate"
    labels = dict(sent.labels)
    assert labels.pop("defined").endswith(f":{is_connected.__code__.co_firstlineno}")
    assert labels == {
        "alertname": "CoroutineLeak",
        "function": "check_redis",
        "instance": f"{socket.gethostname()}:{os.getpid()}",
        "kind": "nested",
        "leaked": "is_connected",
        "service": "chat",
        "severity": "critical",
    }


def test_labels_of_the_project(alerts, posts):
    """They are added, and may name another severity, but never another alert."""
    labels = {"team": "chat", "severity": "page", "alertname": "x", "function": "x"}
    alerts(labels=labels).subscribe()
    leak()
    posts.wait_for(1)
    ((_, found),) = posts.statuses
    assert (found["team"], found["severity"]) == ("chat", "page")
    assert found["alertname"] == "CoroutineLeak"
    assert found["function"] == "check_redis"


def test_the_mirror_image_has_its_own_title(alerts, posts):
    """Awaiting a plain value is not a leak of a coroutine."""
    alerts().subscribe()

    def plain():
        return 1

    @guard(returns=Any)
    async def check():
        await plain()

    with mode("enforce"), pytest.raises(TypeError):
        asyncio.run(check())
    posts.wait_for(1)
    ((sent,),) = posts.bodies
    assert sent.title == "Plain value awaited in check"


def test_a_report_of_the_wrong_shape(alerts, posts):
    """A violated shape is an alert of its own."""
    alerts().subscribe()

    @guard
    def report() -> dict:
        return {"healthy": "yes"}

    with mode("observe"):
        report()
    posts.wait_for(1)
    ((sent,),) = posts.bodies
    assert dict(sent.labels)["alertname"] == "WrongHealthReport"
    assert "returned a report of the wrong shape" in sent.message


def test_a_place_is_sent_once(alerts, posts):
    """A hundred leaks of one place are one alert; another place has its own."""
    found = alerts()
    found.subscribe()
    for _ in range(100):
        leak()
    leak(check_mail)
    found.close(PATIENCE_S)
    functions = [labels["function"] for _, labels in posts.statuses]
    assert functions == ["check_redis", "check_mail"]


def test_a_quiet_place_is_resolved(alerts, posts):
    """The end of an alert is sent without another event, and a new leak fires anew."""
    found = alerts(resolve_after_s=0.01)
    found.subscribe()
    leak()
    posts.wait_for(2)
    leak()
    posts.wait_for(3)
    assert [status for status, _ in posts.statuses][:3] == [
        "firing",
        "resolved",
        "firing",
    ]


def test_a_state_fires_until_it_is_resolved(alerts, posts):
    """Repeated firing is sent once, and so is the end; an end alone is not sent."""
    found = alerts()
    found.resolve(alert().labels)
    found.fire(alert())
    posts.wait_for(1)
    found.fire(alert())
    found.resolve(alert().labels)
    posts.wait_for(2)
    found.resolve(alert().labels)
    found.close(PATIENCE_S)
    assert [status for status, _ in posts.statuses] == ["firing", "resolved"]
    assert posts.bodies[1][0].title == "t"


def test_a_short_alert_arrives_whole(alerts, posts):
    """What fires and ends while the receiver hangs is sent as both, in order."""
    found = alerts()
    posts.gate.clear()
    found.fire(alert("first"))
    found.fire(alert())
    found.resolve(alert().labels)
    found.fire(alert())
    posts.gate.set()
    found.close(PATIENCE_S)
    states = [status for status, labels in posts.statuses if labels["alertname"] == "x"]
    assert states == ["firing", "resolved", "firing"]


def test_alertmanager_is_sent_it_again(alerts, posts):
    """Alertmanager's API ends what is not repeated, so a firing state is repeated."""
    url = "http://127.0.0.1:9093/api/v2/alerts"
    found = alerts(url=url, resolve_after_s=1e-9)
    found.fire(alert())
    posts.wait_for(1)
    found.fire(alert())
    posts.wait_for(2)
    assert [status for status, _ in posts.statuses] == ["firing", "firing"]


def test_a_leak_is_not_held_up_by_the_receiver(alerts, posts):
    """While the receiver hangs, guarded functions go on; the queue is bounded."""
    found = alerts()
    posts.gate.clear()
    found.fire(alert("first"))
    for number in range(3 * sink.MOST_QUEUED):
        found.fire(alert(str(number)))
    posts.gate.set()
    found.close(PATIENCE_S)
    assert 1 < len(posts.statuses) <= 2 * sink.MOST_QUEUED + 1


def test_a_hot_place_takes_no_room_from_others(alerts, posts, monkeypatch):
    """While the receiver hangs, one place that leaks all the time is queued once."""
    monkeypatch.setattr(sink, "MOST_QUEUED", 3)
    found = alerts()
    found.subscribe()
    posts.gate.clear()
    for _ in range(20):
        leak()
    leak(check_mail)
    posts.gate.set()
    posts.wait_for(2)
    functions = [labels["function"] for _, labels in posts.statuses]
    assert functions == ["check_redis", "check_mail"]


def test_what_had_no_room_is_counted(alerts, posts, monkeypatch):
    """The receiver is sent how many alerts are missing."""
    monkeypatch.setattr(sink, "MOST_QUEUED", 0)
    found = alerts()
    found.subscribe()
    leak()
    leak()
    monkeypatch.setattr(sink, "MOST_QUEUED", 10)
    leak()
    posts.wait_for(1)
    assert posts.dropped == 2


def test_an_undelivered_place_is_tried_again(alerts, posts, caplog):
    """The next leak of a place that did not arrive is sent; the log names the loss."""
    found = alerts()
    found.subscribe()
    posts.answers = ["host answered 500"]
    leak()
    posts.wait_for(1)
    # Its loss is noted in the sink's thread after the answer; a marker waits for it.
    found.fire(alert("marker"))
    posts.wait_for(2)
    leak()
    posts.wait_for(3)
    assert [labels["alertname"] for _, labels in posts.statuses] == [
        "CoroutineLeak",
        "marker",
        "CoroutineLeak",
    ]
    assert "1 alerts were not delivered: host answered 500" in caplog.text


def test_the_thread_survives_a_broken_delivery(alerts, posts, monkeypatch, caplog):
    """An error of our own is logged, and the next alert is sent."""
    found = alerts()

    def broken(*args, **kwargs):
        monkeypatch.setattr(sink, "deliver", posts.deliver)
        raise ValueError("broken")

    monkeypatch.setattr(sink, "deliver", broken)
    found.fire(alert("a"))
    while sink.deliver is broken:
        threading.Event().wait(0.001)
    found.fire(alert("b"))
    posts.wait_for(1)
    assert "alerts were lost" in caplog.text


def test_a_closed_sink_takes_nothing(alerts, posts):
    """After the end, events pass; ending it twice changes nothing."""
    found = alerts()
    found.subscribe()
    found.close()
    leak()
    found.fire(alert())
    found.close()
    assert posts.bodies == []


def test_retries_end_when_it_closes(alerts, monkeypatch):
    """`close` does not wait for the backoff of a receiver that is down."""
    monkeypatch.undo()
    asked = threading.Event()

    def refuse(body, settings):
        asked.set()
        return "down", True

    monkeypatch.setattr(delivery, "_post", refuse)
    monkeypatch.setattr(delivery, "BACKOFF_S", (3600.0,))
    found = Alerts(AlertSettings(url="http://127.0.0.1/hook"))
    found.fire(alert())
    assert asked.wait(PATIENCE_S)
    found.close(PATIENCE_S)
    assert found._running.acquire(timeout=PATIENCE_S)


def test_a_forked_child_sends_its_own(alerts, posts):
    """The thread does not live in a child: it starts its own, with an empty memory."""
    found = alerts()
    found.subscribe()
    leak()
    posts.wait_for(1)
    found._pid = os.getppid()  # as a child finds it
    leak()
    posts.wait_for(2)
    assert found._pid == os.getpid()


def test_install_is_idempotent(posts, tmp_path):
    """The same settings give the same sink; others replace it."""
    first = install(url="http://127.0.0.1/a", root=tmp_path)
    assert install(url="http://127.0.0.1/a", root=tmp_path) is first
    second = install(url="http://127.0.0.1/b", root=tmp_path)
    try:
        assert second is not first
        assert not first.is_subscribed
        leak()
        posts.wait_for(1)
    finally:
        second.close()
    assert len(posts.statuses) == 1
