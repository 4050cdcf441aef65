"""A message that is written to a connection which is being replaced."""

from __future__ import annotations

import asyncio

from . import network


class Client:
    def __init__(self, *, waits: bool) -> None:
        self._waits = waits
        self._up = asyncio.Event()
        self._up.set()
        self._outbox: list[str] = []
        self.delivered: list[str] = []

    async def send(self, text: str) -> None:
        if self._waits:
            await self._up.wait()
        self._outbox.append(text)
        if self._up.is_set():
            self.delivered += self._outbox
            self._outbox.clear()

    async def reconnect(self) -> None:
        self._up.clear()
        await network(2)
        self._outbox = []
        self._up.set()


async def send_beside_reconnect(client: Client) -> None:
    async def chat() -> None:
        for number in range(3):
            await network(4)
            await client.send(f"message {number}")

    async def drop() -> None:
        await network(1)
        await client.reconnect()

    await asyncio.gather(drop(), chat())
    assert client.delivered == [f"message {number}" for number in range(3)]


async def race() -> None:
    await send_beside_reconnect(Client(waits=False))


async def correct() -> None:
    await send_beside_reconnect(Client(waits=True))
