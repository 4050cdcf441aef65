"""One user of a chat script, and the judgement of everything that comes."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, cast

from .script import Ending, Frame, Turn

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from .script import ChatScript
    from .service import ChatService

# RFC 6455, 7.4: what a server sends on purpose. 1006 is a connection that broke and
# 1011 a handler that did.
_CLEAN_CODES = frozenset({1000, 1001, 1008, 1012, 1013, *range(3000, 5000)})


class OneUser:
    """The base of the users of all kinds of services.

    Args:
        user_id: The user's id, a UUID; ``None`` makes a new one.
        first: What came before anything was opened.
    """

    def __init__(self, user_id: str | None, first: Turn) -> None:
        self.user_id = user_id or str(uuid.uuid4())
        self.first = first

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.leave()

    async def open(self) -> Turn:
        """Return the first frames, which are empty: nothing has to be opened."""
        return self.first

    async def leave(self) -> None:
        """Close nothing: nothing stays open."""


class ChatUser(OneUser):
    """One user; opens a socket as an async context manager, and again by `open()`.

    Args:
        service: The service to connect to.
        user_id: The user's id, a UUID; ``None`` makes a new one.
        headers: Sent instead of the script's headers. Those are asked for at once,
            since the issuer of tokens may be down later.
    """

    def __init__(
        self,
        service: ChatService,
        user_id: str | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(user_id, Turn((), "closed", "not connected", 0.0))
        self._service = service
        self._script: ChatScript = service.script
        self._headers = (
            dict(self._script.headers(self.user_id)) if headers is None else headers
        )
        self._connection: ClientConnection | None = None

    async def open(self) -> Turn:
        """Open a new socket; return its first frames, also kept as `first`."""
        from websockets.asyncio.client import connect

        await self.leave()
        started = time.monotonic()
        try:
            self._connection = await connect(
                self._service.url.replace("http", "ws", 1) + self._script.path,
                additional_headers=self._headers,
                open_timeout=self._service.patience_s,
                ping_interval=None,
                close_timeout=1,
                compression=None,
                proxy=None,
            )
        except Exception as refused:
            # A refusal before the socket is open has as many forms as servers.
            self.first = _over((), "broke", refused, started)
            return self.first
        if self._script.greeting:
            self.first = await self._listen(self._script.greeting, started)
        else:
            self.first = _over((), "answered", "", started)
        return self.first

    async def send(self, text: str, message_id: str | None = None) -> Turn:
        """Send something; return all that came until the answer, an error, or the end.

        Args:
            text: What to send.
            message_id: The id of the message; `None` makes a new one.
        """
        frame = self._script.message(text, message_id or str(uuid.uuid4()))
        return await self._ask(frame, self._script.events[-1])

    async def history(self) -> list[str] | None:
        """Return this user's messages as the service remembers them.

        `None` if the service keeps no history, or did not return it.
        """
        if self._script.history is None:
            return None
        turn = await self._ask(self._script.history, "")
        if turn.ending != "answered":
            return None
        return self._script.remembered(turn.frames[-1])

    async def ping(self) -> float:
        """Return the seconds that a WebSocket ping takes; infinite if it is lost.

        The service's loop answers it, whatever its handlers do.
        """
        from websockets.exceptions import ConnectionClosed

        started = time.monotonic()
        try:
            pong = await self._open_connection().ping()
            await asyncio.wait_for(pong, self._service.patience_s)
        except (OSError, ConnectionClosed):
            return float("inf")
        return time.monotonic() - started

    async def leave(self) -> None:
        """Close the socket; closed already is fine."""
        if self._connection is not None:
            await self._connection.close()

    async def vanish(self, text: str, message_id: str) -> None:
        """Send something and be gone before the answer, as in a tunnel."""
        from websockets.exceptions import ConnectionClosed

        with suppress(OSError, ConnectionClosed):
            connection = self._open_connection()
            await connection.send(json.dumps(self._script.message(text, message_id)))
            connection.transport.abort()

    def _open_connection(self) -> ClientConnection:
        if self._connection is None:
            raise ConnectionError(f"not connected: {self.first.why}")
        return self._connection

    async def _ask(self, frame: Frame, last: str) -> Turn:
        from websockets.exceptions import ConnectionClosed

        started = time.monotonic()
        try:
            await self._open_connection().send(json.dumps(frame))
        except ConnectionClosed as closed:
            return _closed((), closed, started)
        except ConnectionError as error:
            return _over((), "broke", error, started)
        return await self._listen(last, started)

    async def _listen(self, last: str, started: float) -> Turn:
        """Take frames until one of this type, any one if it is empty, or an error."""
        from websockets.exceptions import ConnectionClosed

        frames: list[Frame] = []
        connection = self._open_connection()
        while True:
            left_s = started + self._service.patience_s - time.monotonic()
            try:
                raw = await asyncio.wait_for(connection.recv(), max(left_s, 0))
            except TimeoutError:
                return _over(frames, "silent", "", started)
            except ConnectionClosed as closed:
                return _closed(frames, closed, started)
            frame = _parsed(raw)
            frames.append(frame)
            if frame.get("type") == self._script.error:
                return _over(frames, "error", "", started)
            if not last or frame.get("type") == last:
                return _over(frames, "answered", "", started)


def _parsed(raw: str | bytes) -> Frame:
    """Parse a frame; anything but a JSON object gets a name that no script expects."""
    try:
        data: Any = json.loads(raw)
    except ValueError:
        data = None
    strange: Frame = {"type": "not a frame", "raw": raw}
    return cast("Frame", data) if isinstance(data, dict) else strange


def _closed(frames: list[Frame] | tuple[()], closed: Exception, started: float) -> Turn:
    received = getattr(closed, "rcvd", None)
    clean = received is not None and received.code in _CLEAN_CODES
    return _over(frames, "closed" if clean else "broke", closed, started)


def _over(
    frames: list[Frame] | tuple[()],
    ending: Ending,
    why: Exception | str,
    started: float,
) -> Turn:
    text = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else why
    return Turn(tuple(frames), ending, text, time.monotonic() - started)
