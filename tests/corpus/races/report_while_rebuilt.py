"""A health report that is read while a refresh fills it anew."""

from __future__ import annotations

import asyncio

from . import network

COMPONENTS = ("database", "redis", "auth")


class Health:
    def __init__(self, *, swaps: bool) -> None:
        self._swaps = swaps
        self.report: dict[str, str] = dict.fromkeys(COMPONENTS, "healthy")

    async def refresh(self) -> None:
        if self._swaps:
            self.report = {name: await self._ask(name) for name in COMPONENTS}
            return
        self.report.clear()
        for name in COMPONENTS:
            self.report[name] = await self._ask(name)

    async def _ask(self, name: str) -> str:
        await network()
        return "healthy"


async def probe_beside_refresh(health: Health) -> None:
    async def probe() -> dict[str, str]:
        await network(6)
        return dict(health.report)

    _, seen = await asyncio.gather(health.refresh(), probe())
    assert set(seen) == set(COMPONENTS)


async def race() -> None:
    await probe_beside_refresh(Health(swaps=False))


async def correct() -> None:
    await probe_beside_refresh(Health(swaps=True))
