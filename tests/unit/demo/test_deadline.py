"""Deadlines that hold whatever the work does."""

from __future__ import annotations

import asyncio

import pytest

from coroguard.demo.deadline import abandoned, within


class Stubborn:
    """Work that does not end when it is cancelled, like a client in a black hole."""

    def __init__(self):
        self.release = asyncio.Event()
        self.cancelled = 0
        self.task = None

    async def work(self, error=None):
        self.task = asyncio.current_task()
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
        if error is not None:
            raise error
        return "too late"


async def test_quick_work_returns_its_value():
    """The result of work that ends in time is returned."""

    async def work():
        return 42

    assert await within(1, work()) == 42


async def test_an_error_of_the_work_passes():
    """An error of work that ends in time passes, even a timeout of its own."""
    mine = TimeoutError("mine")

    async def work():
        raise mine

    with pytest.raises(TimeoutError) as raised:
        await within(1, work())
    assert raised.value is mine


async def test_work_that_ignores_its_cancellation_is_abandoned():
    """The caller goes on at its deadline although the work does not end."""
    stubborn = Stubborn()
    with pytest.raises(TimeoutError, match="no answer within 0 s"):
        await within(0, stubborn.work())
    await asyncio.sleep(0)
    assert (stubborn.cancelled, stubborn.task.done(), abandoned()) == (1, False, 1)
    stubborn.release.set()
    await stubborn.task
    assert abandoned() == 0


async def test_the_late_error_of_abandoned_work_is_discarded():
    """An error after the deadline reaches nobody."""
    seen = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: seen.append(context))
    stubborn = Stubborn()
    with pytest.raises(TimeoutError):
        await within(0, stubborn.work(error=OSError("late")))
    stubborn.release.set()
    await asyncio.wait({stubborn.task})
    await asyncio.sleep(0)
    stubborn.task = None
    assert (seen, abandoned()) == ([], 0)


async def test_a_cancelled_caller_does_not_wait():
    """Cancelling the caller ends the caller, not only the work."""
    stubborn = Stubborn()
    caller = asyncio.ensure_future(within(3600, stubborn.work()))
    while stubborn.task is None:
        await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not stubborn.task.done()
    stubborn.release.set()
    await stubborn.task
