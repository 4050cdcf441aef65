"""Two locks that two transfers take in opposite orders."""

from __future__ import annotations

import asyncio

from . import network


async def transfers(*, sorts: bool) -> None:
    locks = {"a": asyncio.Lock(), "b": asyncio.Lock()}

    async def transfer(first: str, second: str, distance: int) -> None:
        await network(distance)
        names = sorted((first, second)) if sorts else [first, second]
        async with locks[names[0]]:
            await network()
            async with locks[names[1]]:
                await network()

    await asyncio.gather(transfer("a", "b", 0), transfer("b", "a", 5))


async def race() -> None:
    await transfers(sorts=False)


async def correct() -> None:
    await transfers(sorts=True)
