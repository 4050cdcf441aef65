"""A balance that is read, and written back after an await."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

from . import network


async def deposits(lock: AbstractAsyncContextManager[object]) -> int:
    account = {"balance": 0}

    async def deposit(amount: int, distance: int) -> None:
        await network(distance)
        async with lock:
            balance = account["balance"]
            await network()
            account["balance"] = balance + amount

    await asyncio.gather(deposit(10, 0), deposit(20, 4))
    return account["balance"]


async def race() -> None:
    assert await deposits(nullcontext()) == 30


async def correct() -> None:
    assert await deposits(asyncio.Lock()) == 30
