"""A consumer that clears its event after somebody has set it again."""

from __future__ import annotations

import asyncio

from . import network


async def consume(*, clears_first: bool) -> None:
    items: list[int] = []
    arrived = asyncio.Event()
    seen: list[int] = []

    async def produce() -> None:
        for number in range(2):
            await network(3 * number)
            items.append(number)
            arrived.set()

    async def take() -> None:
        while len(seen) < 2:
            await arrived.wait()
            if clears_first:
                arrived.clear()
            seen.extend(items)
            items.clear()
            await network()
            if not clears_first:
                arrived.clear()

    await asyncio.gather(produce(), take())
    assert seen == [0, 1]


async def race() -> None:
    await consume(clears_first=False)


async def correct() -> None:
    await consume(clears_first=True)
