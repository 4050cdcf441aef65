"""Fixtures of the tests of health."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from coroguard.health import left_behind, loop
from coroguard.health.log import _errors

PATIENCE_S = 60.0


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What stuck checks wait for; every run has ended when the test has."""
    event = threading.Event()
    yield event
    event.set()
    wait_until(lambda: left_behind() == 0)


@pytest.fixture(autouse=True)
def no_history(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a test know nothing of another, and a busy machine seem no blocked loop."""
    monkeypatch.setattr(loop, "GRACE_S", PATIENCE_S)
    _errors.clear()
    yield
    _errors.clear()
    # A thread that has delivered its answer may hold a coroutine for a moment longer.
    for thread in threading.enumerate():
        if thread.name.startswith("coroguard check "):
            thread.join(PATIENCE_S)


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.001)
