"""A worker that is started twice, as its flag is set after an await."""

from __future__ import annotations

import asyncio

from . import network


class Worker:
    def __init__(self, *, marks_first: bool) -> None:
        self._marks_first = marks_first
        self._started = False
        self.loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        if self._started:
            return
        if self._marks_first:
            self._started = True
        await network(2)
        self._started = True
        self.loops.append(asyncio.create_task(asyncio.sleep(0)))

    async def stop(self) -> None:
        await asyncio.gather(*self.loops)


async def two_requests(worker: Worker) -> None:
    async def request(distance: int) -> None:
        await network(distance)
        await worker.start()

    await asyncio.gather(request(0), request(5))
    await worker.stop()
    assert len(worker.loops) == 1


async def race() -> None:
    await two_requests(Worker(marks_first=False))


async def correct() -> None:
    await two_requests(Worker(marks_first=True))
