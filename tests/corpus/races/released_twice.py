"""A slot that a reaper and the end of the work both release."""

from __future__ import annotations

import asyncio

from . import network


class Slots:
    def __init__(self, *, claims: bool) -> None:
        self._claims = claims
        self._held = True
        self.free = 0

    async def release(self) -> None:
        if not self._held:
            return
        if self._claims:
            self._held = False
        await network()
        self.free += 1
        self._held = False


async def work_beside_reaper(slots: Slots) -> None:
    async def after(turns: int) -> None:
        await network(turns)
        await slots.release()

    await asyncio.gather(after(2), after(7))
    assert slots.free == 1


async def race() -> None:
    await work_beside_reaper(Slots(claims=False))


async def correct() -> None:
    await work_beside_reaper(Slots(claims=True))
