"""Durations, and when work is due, without any clock."""

from __future__ import annotations

import pytest

from coroguard import GuardUsageError
from coroguard.monitor.schedule import Schedule, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("1d", 86400), ("45", 45), ("1.5m", 90)],
)
def test_durations(text, seconds):
    """Seconds, minutes, hours and days, and seconds where there is no unit."""
    assert seconds_of(text, "--every") == seconds


@pytest.mark.parametrize("text", ["", "soon", "0s", "-5s", "0.2s", "1e9d", "5 weeks"])
def test_what_is_not_a_duration(text):
    """The option is named, and how to write it."""
    with pytest.raises(GuardUsageError, match=r"^--every .* write one such as 30s"):
        seconds_of(text, "--every")


def test_work_is_due_at_once_and_then_every_so_often():
    """The first run starts at once; the time of the run itself does not add up."""
    now = [100.0]
    schedule = Schedule(30.0, clock=lambda: now[0])
    assert schedule.is_due()
    now[0] = 112.0
    assert not schedule.is_due()
    assert schedule.wait_s() == 18.0
    now[0] = 131.0
    assert schedule.is_due()
    assert schedule.wait_s() == 29.0


def test_what_was_missed_is_not_made_up_for():
    """After a long run, one run follows, and not all that were missed."""
    now = [0.0]
    schedule = Schedule(30.0, clock=lambda: now[0])
    assert schedule.is_due()
    now[0] = 1000.0
    assert schedule.is_due()
    assert schedule.is_due()
    assert not schedule.is_due()
