"""Alerts over real HTTP, from a process of their own and through the sink."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest

from coroguard.alerts import Alert, AlertSettings
from coroguard.alerts.delivery import deliver
from coroguard.demo.receiver import Receiver

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ALERT = Alert(
    labels=(("alertname", "x"),),
    title="t",
    message="m",
    impact="i",
    urgency="u",
    started=NOW,
)
LEAKS_AND_ENDS = """
from typing import Any

import coroguard.alerts
from coroguard import guard
from coroguard.alerts import sink

sink._AT_EXIT_S = 60.0  # however busy the machine is
coroguard.alerts.install()


async def is_connected():
    return True


@guard(returns=Any)
def check():
    return is_connected()


try:
    check()
except TypeError:
    pass
"""


def at_once(_seconds):
    return False


def settings(receiver, **more):
    return AlertSettings(url=receiver.url, timeout_s=30, **more)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_process_that_ends_sends_its_alert(tmp_path, clean):
    """A leak right before the end of a process arrives, with the token."""
    with Receiver() as receiver:
        clean["COROGUARD_ALERT_URL"] = receiver.url
        clean["COROGUARD_ALERT_TOKEN"] = "s3cret"
        ran = subprocess.run(
            [sys.executable, "-c", LEAKS_AND_ENDS],
            env=clean,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        sent = receiver.wait_for(lambda alert: alert["status"] == "firing")
        assert sent["annotations"]["title"] == "Coroutine leak in check"
        assert set(sent["annotations"]) == {"title", "message", "impact", "urgency"}
        assert receiver.headers[0]["Authorization"] == "Bearer s3cret"


def test_a_receiver_that_recovers(clean):
    """Errors of the server and 429 are tried again, until it takes the alert."""
    with Receiver(500, 429, 503) as receiver:
        assert deliver([ALERT], settings(receiver), wait=at_once) == ""
        assert len(receiver.bodies) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404])
def test_a_receiver_that_refuses(status):
    """A refusal is named and not tried again; a redirect loses no body to a GET."""
    with Receiver(status) as receiver:
        why = deliver([ALERT], settings(receiver), wait=at_once)
        assert why.endswith(f" answered {status}")
        assert len(receiver.bodies) == 1


def test_a_receiver_that_is_down():
    """The reason names host and port, and nothing else of the address."""
    with Receiver() as receiver:
        down = settings(receiver)
    secret = AlertSettings(url=f"{down.url}/s3cret-path")
    why = deliver([ALERT], secret, wait=at_once)
    assert why == f"{down.host} was not reached: ConnectionRefusedError"


def test_a_token_that_no_header_can_hold():
    """It is an error of the settings, which shows no token."""
    with Receiver() as receiver:
        why = deliver([ALERT], settings(receiver, token="s3\ncret"), wait=at_once)
        assert (
            why
            == f"127.0.0.1:{receiver.url.split(':')[2][:-5]} cannot be sent to: "
            + ("ValueError")
        )
