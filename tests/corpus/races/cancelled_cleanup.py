"""A connection that is lost when a cancellation meets the cleanup."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from . import network


async def pool_after_shutdown(*, shielded: bool) -> int:
    free = 1

    async def give_back() -> None:
        nonlocal free
        await network(2)
        free += 1

    async def use() -> None:
        nonlocal free
        free -= 1
        try:
            await network(2)
        finally:
            if shielded:
                returning = asyncio.create_task(give_back())
                while not returning.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.shield(returning)
            else:
                await give_back()

    async def shut_down(user: asyncio.Task[None]) -> None:
        await network(8)
        user.cancel()

    user = asyncio.create_task(use())
    await asyncio.gather(shut_down(user), return_exceptions=True)
    await asyncio.gather(user, return_exceptions=True)
    return free


async def race() -> None:
    assert await pool_after_shutdown(shielded=False) == 1


async def correct() -> None:
    assert await pool_after_shutdown(shielded=True) == 1
