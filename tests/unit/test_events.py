"""Is everyone told once, and can nobody break the program?"""

from __future__ import annotations

import contextlib
import datetime
import logging
import subprocess
import sys
import uuid
from typing import Any

import pytest

from coroguard import CoroutineLeakError, Event, guard, mode, subscribe


async def twin() -> bool:
    return True


def leaky(name: str | None = None) -> Any:
    """Return a guarded function that leaks, under a name of its own."""
    return guard(returns=Any, name=name or f"check_{uuid.uuid4().hex}")(lambda: twin())


def leak(check: Any) -> None:
    with pytest.raises(CoroutineLeakError):
        check()


def test_an_event_tells_all() -> None:
    """An event carries leak, error, action, mode, time and duration."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    with mode("strict"):
        leak(leaky("check"))
    unsubscribe()
    (event,) = seen
    assert isinstance(event.error, CoroutineLeakError)
    assert event.leak is event.error.leak
    assert (event.action, event.mode, event.guarded) == ("raised", "strict", "check")
    assert event.at.tzinfo is datetime.UTC
    assert event.duration_ms is not None
    assert event.duration_ms >= 0


def test_a_leak_is_told_before_it_is_raised() -> None:
    """An ``except Exception`` around the guard cannot make a leak unseen."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    with contextlib.suppress(Exception):
        leaky()()
    unsubscribe()
    assert len(seen) == 1


def test_unsubscribing_ends_it() -> None:
    """After ``unsubscribe`` no event comes; calling it again does nothing."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    unsubscribe()
    unsubscribe()
    leak(leaky())
    assert seen == []


def test_a_subscriber_that_raises_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A subscriber's error is logged once; the other subscribers are served."""
    seen: list[Event] = []

    def breaks(event: Event) -> None:
        raise RuntimeError("out of order")

    ends = [subscribe(breaks), subscribe(seen.append)]
    for _ in range(3):
        leak(leaky())
    for end in ends:
        end()
    told = [r for r in caplog.records if "subscriber" in r.getMessage()]
    assert (len(seen), len(told)) == (3, 1)


def test_a_subscriber_that_leaks_does_not_loop() -> None:
    """Events that a subscriber causes itself go to the logger only."""
    seen: list[Event] = []

    def leaks(event: Event) -> None:
        seen.append(event)
        leak(leaky())

    unsubscribe = subscribe(leaks)
    leak(leaky())
    unsubscribe()
    assert len(seen) == 1


def test_the_log_counts_what_repeats(caplog: pytest.LogCaptureFixture) -> None:
    """The same place is logged at its first, 10th and 100th leak, with a count."""
    check = leaky()
    for _ in range(100):
        leak(check)
    counts = [r.leak_count for r in caplog.records if r.name == "coroguard.leak"]
    assert counts == [1, 10, 100]


def test_a_record_has_stable_keys(caplog: pytest.LogCaptureFixture) -> None:
    """The record's template is constant and its facts stand in ``extra``."""
    with mode("enforce"):
        leak(leaky("check_keys"))
    record = caplog.records[-1]
    assert (record.msg, record.levelno) == ("coroguard %s a leak: %s", logging.ERROR)
    facts = {k: v for k, v in vars(record).items() if k.startswith("leak_")}
    assert facts == {
        "leak_kind": "returned",
        "leak_what": "coroutine",
        "leak_name": "twin",
        "leak_defined": facts["leak_defined"],
        "leak_path": "$",
        "leak_guarded": "check_keys",
        "leak_action": "raised",
        "leak_mode": "enforce",
        "leak_count": 1,
        "leak_duration_ms": None,
    }


def test_nothing_is_printed() -> None:
    """A program without logging sees nothing of coroguard on its streams."""
    code = (
        "from typing import Any\nfrom coroguard import guard\n"
        "async def twin(): ...\n"
        "try: guard(returns=Any)(lambda: twin())()\nexcept TypeError: pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_an_unfinished_scan_is_told() -> None:
    """A value larger than the scan limit passes, and the event says it was cut."""
    from coroguard import configure

    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    configure(scan_limit=10)
    try:
        guard(returns=Any)(lambda: list(range(100)))()
    finally:
        configure(scan_limit=2_000_000)
        unsubscribe()
    (event,) = seen
    assert (event.complete, event.leak, event.error) == (False, None, None)
