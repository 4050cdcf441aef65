"""A pool that is made once, if two callers do not both find that it is missing."""

from __future__ import annotations

import asyncio

from . import network


class Pools:
    def __init__(self) -> None:
        self.made: list[object] = []
        self._pool: object | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> object:
        if self._pool is None:
            await network(2)
            self._pool = object()
            self.made.append(self._pool)
        return self._pool

    async def get_locked(self) -> object:
        async with self._lock:
            return await self.get()


async def two_callers(pools: Pools, *, locked: bool) -> None:
    get = pools.get_locked if locked else pools.get

    async def late() -> object:
        await network(5)
        return await get()

    first, second = await asyncio.gather(get(), late())
    assert first is second
    assert len(pools.made) == 1


async def race() -> None:
    await two_callers(Pools(), locked=False)


async def correct() -> None:
    await two_callers(Pools(), locked=True)
