"""A connection that is closed between the question whether it is open and the send."""

from __future__ import annotations

import asyncio

from . import network


class Connection:
    def __init__(self) -> None:
        self.is_open = True

    async def close(self) -> None:
        await network(6)
        self.is_open = False

    async def write(self, text: str) -> None:
        if not self.is_open:
            raise ConnectionResetError(text)
        await network()


async def send(connection: Connection, *, handles: bool) -> None:
    if connection.is_open:
        await network(2)  # what is sent is looked up first
        try:
            await connection.write("hello")
        except ConnectionResetError:
            if not handles:
                raise


async def race() -> None:
    connection = Connection()
    await asyncio.gather(send(connection, handles=False), connection.close())


async def correct() -> None:
    connection = Connection()
    await asyncio.gather(send(connection, handles=True), connection.close())
