"""A session that others can see before its handshake has ended."""

from __future__ import annotations

import asyncio

from . import network


class Session:
    def __init__(self) -> None:
        self.key: bytes | None = None
        self.sent: list[str] = []

    async def handshake(self) -> None:
        await network(3)
        self.key = b"key"

    async def send(self, text: str) -> None:
        assert self.key is not None, "sent before the handshake ended"
        await network()
        self.sent.append(text)


async def serve(*, registers_early: bool) -> None:
    sessions: list[Session] = []

    async def connect() -> Session:
        session = Session()
        if registers_early:
            sessions.append(session)
        await session.handshake()
        if not registers_early:
            sessions.append(session)
        return session

    async def broadcast() -> None:
        await network(6)
        for session in list(sessions):
            await session.send("hello")

    await asyncio.gather(connect(), broadcast())


async def race() -> None:
    await serve(registers_early=True)


async def correct() -> None:
    await serve(registers_early=False)
