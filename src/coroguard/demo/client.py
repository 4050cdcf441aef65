"""A client of the chat service."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_LAST = ("agent_completed", "error")


def websocket_url(http_url: str, **query: str | None) -> str:
    """Return the address of the socket.

    Args:
        http_url: The service's address.
        query: `token` and `thread_id`; `None` leaves one out.
    """
    given = {key: value for key, value in query.items() if value is not None}
    base = http_url.replace("http", "ws", 1)
    return f"{base}/ws?{urlencode(given)}" if given else f"{base}/ws"


class ChatClient:
    """One user's socket; use as an async context manager.

    Args:
        http_url: The service's address.
        token: The user's token; `None` for none.
        thread_id: The thread to talk in; `None` means the latest.
        patience_s: Seconds to wait for any one frame.
    """

    def __init__(
        self,
        http_url: str,
        token: str | None,
        *,
        thread_id: str | None = None,
        patience_s: float = 10.0,
    ) -> None:
        self._url = websocket_url(http_url, thread_id=thread_id)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._patience_s = patience_s
        self._connection: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._connection = await connect(
            self._url,
            additional_headers=self._headers,
            open_timeout=self._patience_s,
            close_timeout=1,
            compression=None,
            proxy=None,
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.connection.close()

    @property
    def connection(self) -> ClientConnection:
        """The open connection."""
        if self._connection is None:
            raise RuntimeError("not connected; use `async with ChatClient(...)`")
        return self._connection

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.connection.send(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        """Return the next frame.

        Raises:
            TimeoutError: No frame came in time.
            websockets.ConnectionClosed: The service closed the connection.
        """
        raw = await asyncio.wait_for(self.connection.recv(), self._patience_s)
        frame: dict[str, Any] = json.loads(raw)
        return frame

    async def ask(
        self, text: str, *, message_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Send a message; return the frames up to the answer or the error."""
        await self.send(type="message", text=text, id=message_id or str(uuid.uuid4()))
        frames = [await self.receive()]
        while frames[-1]["type"] not in _LAST:
            frames.append(await self.receive())
        return frames

    async def history(self) -> list[dict[str, str]]:
        """Return the thread's messages, oldest first."""
        await self.send(type="history")
        frame = await self.receive()
        messages: list[dict[str, str]] = frame["messages"]
        return messages


@asynccontextmanager
async def connect_all(
    http_url: str, tokens: Sequence[str]
) -> AsyncGenerator[list[ChatClient], None]:
    """Connect a user for each token, each in a new thread, and await the greetings."""
    async with AsyncExitStack() as sockets:
        clients = [
            ChatClient(http_url, token, thread_id=str(uuid.uuid4())) for token in tokens
        ]
        for client in clients:
            await sockets.enter_async_context(client)
        await asyncio.gather(*(client.receive() for client in clients))
        yield clients


def answered(reply: list[dict[str, Any]] | BaseException) -> bool:
    """Return whether a reply is a whole answer of the agent."""
    return isinstance(reply, list) and reply[-1]["type"] == "agent_completed"
