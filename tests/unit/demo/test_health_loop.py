"""Health checks that synchronous callers share."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from coroguard.demo import health_loop


def test_work_that_is_done_at_once_is_forgotten():
    """Work that ends before its caller waits for it blocks nobody."""

    async def work():
        return 1

    assert [health_loop.run_shared("quick", work) for _ in range(200)] == [1] * 200


def test_a_call_meanwhile_shares_the_result(monkeypatch):
    """A call while the work is under way gets its result and starts nothing."""
    under_way = Future()
    under_way.set_result("theirs")
    monkeypatch.setitem(health_loop._flights, "shared", under_way)
    assert health_loop.run_shared("shared", pytest.fail) == "theirs"


def test_an_error_reaches_every_caller_and_the_next_starts_anew():
    """Work that fails is not shared with later calls."""

    async def fail():
        raise OSError("gone")

    async def work():
        return "back"

    with pytest.raises(OSError, match="gone"):
        health_loop.run_shared("failing", fail)
    assert health_loop.run_shared("failing", work) == "back"
