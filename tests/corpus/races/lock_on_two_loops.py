"""A lock that is made once for the module, and then used on a second loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from . import network


def two_loops(make_lock: Callable[[], Callable[[], asyncio.Lock]]) -> None:
    lock_of = make_lock()

    async def request(distance: int) -> None:
        await network(distance)
        async with lock_of():
            await network()

    async def main() -> None:
        await asyncio.gather(request(0), request(5))

    # A lock belongs to the first loop on which somebody has to wait for it.
    asyncio.run(main())
    asyncio.run(main())


def one_lock() -> Callable[[], asyncio.Lock]:
    locks: list[asyncio.Lock] = []

    def lazily() -> asyncio.Lock:
        if not locks:
            locks.append(asyncio.Lock())
        return locks[0]

    return lazily


def lock_of_each_loop() -> Callable[[], asyncio.Lock]:
    locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}
    return lambda: locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def race() -> None:
    two_loops(one_lock)


def correct() -> None:
    two_loops(lock_of_each_loop)
