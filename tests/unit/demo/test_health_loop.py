"""Do synchronous callers share a flight, and does every flight land?"""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from coroguard.demo import health_loop


def test_work_that_is_done_at_once_lands():
    """Work that ends before its asker can wait for it blocks nobody."""

    async def work():
        return 1

    assert [health_loop.run_shared("quick", work) for _ in range(200)] == [1] * 200


def test_who_comes_meanwhile_shares_the_result(monkeypatch):
    """Who asks while the work is under way gets that answer and starts none."""
    under_way = Future()
    under_way.set_result("theirs")
    monkeypatch.setitem(health_loop._flights, "shared", under_way)
    assert health_loop.run_shared("shared", pytest.fail) == "theirs"


def test_an_error_reaches_every_asker_and_the_next_asks_anew():
    """A flight that fails lands too."""

    async def fail():
        raise OSError("gone")

    async def work():
        return "back"

    with pytest.raises(OSError, match="gone"):
        health_loop.run_shared("failing", fail)
    assert health_loop.run_shared("failing", work) == "back"
