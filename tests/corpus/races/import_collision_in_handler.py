"""The error that could not be reproduced: a collision that only a lost race meets.

The handler imports the health check when a send has failed, and it only fails if the
client closes first. By then another module's function of that name is in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from . import network


def check_health() -> dict[str, Any]:
    return {"healthy": False, "error_suggestions": ["reconnect"]}


async def check_health_async() -> dict[str, Any]:
    return check_health()


class Socket:
    def __init__(self) -> None:
        self.is_open = True
        self.sent: list[str] = []

    async def send(self, text: str) -> None:
        await network()
        if not self.is_open:
            raise ConnectionError("the client has closed")
        self.sent.append(text)

    async def close(self) -> None:
        await network(7)
        self.is_open = False


async def answer(socket: Socket, deployed: Any) -> None:
    try:
        for part in ("hello", "world"):
            await socket.send(part)
    except ConnectionError:
        health_report = deployed.check_health()
        suggestions = health_report.get("error_suggestions", [])
        socket.sent.extend(suggestions)


async def client_leaves(deployed: Any) -> None:
    socket = Socket()
    await asyncio.gather(answer(socket, deployed), socket.close())
    assert socket.sent[-1] in ("world", "reconnect")


async def race() -> None:
    made: list[Coroutine[Any, Any, dict[str, Any]]] = []

    def collided() -> Any:
        made.append(check_health_async())
        return made[-1]

    try:
        await client_leaves(SimpleNamespace(check_health=collided))
    finally:  # so that no warning follows
        for coroutine in made:
            coroutine.close()


async def correct() -> None:
    await client_leaves(SimpleNamespace(check_health=check_health))
