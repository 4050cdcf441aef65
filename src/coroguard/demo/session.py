"""The life of one socket, from the token to the last turn."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coroguard import guard, watch
from coroguard.demo.agent import Agent, Found
from coroguard.demo.context import UserExecutionContext
from coroguard.demo.database import Database, ThreadStore
from coroguard.demo.errors import ComponentUnavailable, InvalidContextError, Rejected
from coroguard.demo.frames import ClientFrame, FrameError, error_frame, parse

if TYPE_CHECKING:
    from coroguard.demo.manager_factory import Socket, WebSocketManager
    from coroguard.demo.manager_factory import WebSocketManagerFactory as Factory
    from coroguard.demo.redis_manager import RedisManager
    from coroguard.demo.settings import Settings
    from coroguard.demo.tokens import Identity, TokenVerifier


def new_id() -> str:
    """Return an id for one of the five of a user's context."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Components:
    """The components that all sessions of the service share."""

    settings: Settings
    database: Database
    redis: RedisManager
    tokens: TokenVerifier
    factory: Factory


class GuardedThread(ThreadStore):
    """A thread whose search is guarded."""

    @guard(returns=Found)
    async def search(self, words: Sequence[str]) -> Found:
        """Count the user's earlier messages, and those that hold one of the words."""
        return await super().search(words)


class ChatSession:
    """One client's connection.

    It opens when its components answer: until then each frame of the client tries
    again, so that a socket can be opened during an outage.

    Args:
        components: Shared by all sessions.
        socket: The connection.
        token: The token of the client.
        thread_id: The thread it asked for; `None` means its latest.
    """

    def __init__(
        self,
        components: Components,
        socket: Socket,
        *,
        token: str,
        thread_id: str | None,
    ) -> None:
        self._components = components
        self._socket = socket
        self._token = token
        self._thread_id = thread_id
        self._identity: Identity | None = None
        self._manager: WebSocketManager | None = None
        # Nobody yet; the ids are real ones, so that an error can name the request.
        self.context = UserExecutionContext(*(new_id() for _ in range(5)))

    async def open(self) -> None:
        """Verify the token, open the thread, and send `ready`; once is enough.

        Raises:
            Rejected: The token or the thread is not the client's.
            ComponentUnavailable: A component does not answer.
        """
        if self._manager is not None:
            return
        parts = self._components
        if self._identity is None:
            self._identity = await parts.tokens.verify(self._token)
        user_id = self._identity.user_id
        self._refuse_handmade(user_id, self._thread_id)
        thread_id = await parts.database.open_thread(user_id, self._thread_id)
        context = replace(self.context, user_id=user_id, thread_id=thread_id)
        online = await parts.redis.arrive(user_id, context.websocket_client_id)
        self.context = context
        self._manager = parts.factory.create_manager(context, self._socket)
        ids = {"user_id": user_id, "thread_id": thread_id}
        client_id = context.websocket_client_id
        ready = {"type": "ready", **ids, "websocket_client_id": client_id}
        await self._manager.send({**ready, "online": online})

    async def handle(self, raw: str) -> None:
        """Handle one frame of the client.

        Raises:
            Rejected: The token has expired.
            ComponentUnavailable: A component does not answer.
        """
        self.context = replace(self.context, run_id=new_id(), request_id=new_id())
        await self.open()
        self._refuse_expired()
        try:
            frame = parse(raw)
        except FrameError as wrong:
            await self._send(error_frame("BAD_FRAME", str(wrong)))
            return
        match frame.kind:
            case "ping":
                await self._send({"type": "pong"})
            case "history":
                messages = await self._thread(frame).history()
                await self._send({"type": "history", "messages": messages})
            case "message":
                await self._answer(frame)

    async def close(self) -> None:
        """Release the manager and the presence, even with components down."""
        if self._manager is None:
            return
        self._components.factory.release(self._manager)
        context = self.context
        try:
            await self._components.redis.leave(
                context.user_id, context.websocket_client_id
            )
        except ComponentUnavailable:
            return  # the entry ages out by itself

    async def _answer(self, frame: ClientFrame) -> None:
        context = self.context
        if not await self._components.redis.may_send(
            context.user_id, context.websocket_client_id
        ):
            limit = self._components.settings.rate_limit
            await self._send(
                error_frame(
                    "RATE_LIMITED",
                    f"more than {limit} messages in ten seconds",
                    suggestions=["Wait ten seconds and send the message again."],
                    request_id=context.request_id,
                )
            )
            return
        ids = {"request_id": context.request_id, "run_id": context.run_id}
        with watch():
            async for event in Agent(self._thread(frame)).run(frame.text):
                await self._send({**event, **ids, "message_id": frame.message_id})

    def _thread(self, frame: ClientFrame) -> GuardedThread:
        return GuardedThread(
            self._components.database,
            thread_id=self.context.thread_id,
            user_id=self.context.user_id,
            message_id=frame.message_id,
        )

    def _refuse_handmade(self, user_id: str, thread_id: str | None) -> None:
        wanted = thread_id or self.context.thread_id
        try:
            replace(self.context, user_id=user_id, thread_id=wanted)
        except InvalidContextError as wrong:
            raise Rejected(4400, str(wrong)) from None

    def _refuse_expired(self) -> None:
        if self._identity is not None and self._identity.expires_at < time.time():
            raise Rejected(4401, "token refused: Signature has expired")

    async def _send(self, frame: dict[str, Any]) -> None:
        if self._manager is not None:
            await self._manager.send(frame)
