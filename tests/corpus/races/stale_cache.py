"""A cache that a slow load fills with what was changed meanwhile."""

from __future__ import annotations

import asyncio

from . import network


class Store:
    def __init__(self, *, counts_versions: bool) -> None:
        self._counts_versions = counts_versions
        self.value = "old"
        self.version = 0
        self.cache: str | None = None

    async def read(self) -> str:
        if self.cache is None:
            version, value = self.version, self.value
            await network(2)
            if self._counts_versions and version != self.version:
                return value
            self.cache = value
        return self.cache

    async def write(self, value: str) -> None:
        self.value = value
        self.version += 1
        self.cache = None
        await network()


async def read_beside_write(store: Store) -> None:
    async def writer() -> None:
        await network(6)
        await store.write("new")

    await asyncio.gather(store.read(), writer())
    assert await store.read() == "new"


async def race() -> None:
    await read_beside_write(Store(counts_versions=False))


async def correct() -> None:
    await read_beside_write(Store(counts_versions=True))
