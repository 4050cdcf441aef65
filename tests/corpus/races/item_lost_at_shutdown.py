"""A queue item that a worker has taken and not handled when it is cancelled."""

from __future__ import annotations

import asyncio

from . import network


async def drain(*, joins: bool) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    handled: list[int] = []

    async def work() -> None:
        while True:
            item = await queue.get()
            await network(2)
            handled.append(item)
            queue.task_done()

    async def feed() -> None:
        for number in range(3):
            queue.put_nowait(number)
            await network()

    worker = asyncio.create_task(work())
    await feed()
    if joins:
        await queue.join()
    else:
        await network(8)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert handled == [0, 1, 2]


async def race() -> None:
    await drain(joins=False)


async def correct() -> None:
    await drain(joins=True)
