"""Who and what takes part in the story?"""

from __future__ import annotations

import asyncio
import socket
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coroguard.demo.client import ChatClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from coroguard.demo.backends.postgres import Postgres
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.backends.stack import Stack
    from coroguard.demo.backends.valkey import Valkey
    from coroguard.demo.story.claims import StepResult
    from coroguard.demo.story.screen import Screen

__all__ = ["USERS", "Cast", "Stage", "answers", "refuses"]

USERS = 20


@dataclass(frozen=True, slots=True)
class Cast:
    """The chat services of the story: one source, other modes, other neighbours.

    Args:
        plain_on: Guarded; nobody else's modules beside it.
        plain_off: The same without the guard.
        collision_on: Guarded, beside the team whose check is a coroutine function.
        collision_off: The same without the guard.
        silent_on: Guarded, beside the team that truth-tests a coroutine.
        silent_off: The same without the guard.
        silent_strict: The same in strict mode.
    """

    plain_on: PythonService
    plain_off: PythonService
    collision_on: PythonService
    collision_off: PythonService
    silent_on: PythonService
    silent_off: PythonService
    silent_strict: PythonService

    @classmethod
    def spawn(cls, stack: Stack) -> Cast:
        """Start all of them without waiting."""
        async_check, silent_check = "async_check", "silent_check"
        return cls(
            plain_on=stack.chat("plain-on", mode="enforce"),
            plain_off=stack.chat("plain-off", mode="off"),
            collision_on=stack.chat("collision-on", mode="enforce", twin=async_check),
            collision_off=stack.chat("collision-off", mode="off", twin=async_check),
            silent_on=stack.chat("silent-on", mode="enforce", twin=silent_check),
            silent_off=stack.chat("silent-off", mode="off", twin=silent_check),
            silent_strict=stack.chat("silent-strict", mode="strict", twin=silent_check),
        )

    def all(self) -> tuple[PythonService, ...]:
        """Return the services in the order they were started."""
        return tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step may use.

    Args:
        stack: The servers behind the chat.
        postgres: The database server, which may be hurt.
        valkey: The Valkey server, which may be hurt.
        cast: The chat services.
        tokens: One token for each user.
        screen: Where the step shows what it sees.
        result: Where it claims.
    """

    stack: Stack
    postgres: Postgres
    valkey: Valkey
    cast: Cast
    tokens: tuple[str, ...]
    screen: Screen
    result: StepResult

    @asynccontextmanager
    async def users(
        self, service: PythonService
    ) -> AsyncGenerator[list[ChatClient], None]:
        """Connect every user to a service, each in a thread that is new."""
        async with AsyncExitStack() as sockets:
            clients = [
                ChatClient(service.url, token, thread_id=str(uuid.uuid4()))
                for token in self.tokens
            ]
            for client in clients:
                await sockets.enter_async_context(client)
            await asyncio.gather(*(client.receive() for client in clients))
            yield clients


def answers(replies: Iterable[list[dict[str, Any]] | Exception]) -> int:
    """Count the replies that are a whole answer of the agent."""
    return sum(
        isinstance(frames, list) and frames[-1]["type"] == "agent_completed"
        for frames in replies
    )


def refuses(port: int) -> bool:
    """Whether nobody takes connections at this port."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return False
    except ConnectionRefusedError:
        return True
