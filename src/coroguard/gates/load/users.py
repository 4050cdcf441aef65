"""Users for Locust: health checks over HTTP, and a chat over a WebSocket."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gevent  # type: ignore[import-untyped]
import websocket
from gevent.queue import Empty, Queue  # type: ignore[import-untyped]
from locust import HttpUser, User, constant, task

# Counts the requests of this process.
from . import recorder  # noqa: F401  # pyright: ignore[reportUnusedImport]


class Refused(Exception):  # noqa: N818  # an answer of the service
    """The service answered with an error, as agreed."""


class Lost(Exception):  # noqa: N818  # the fate of a message
    """A message got no answer, or is missing from the history."""


class Mixed(Exception):  # noqa: N818  # the fate of a message
    """An answer belongs to another message, or to another user."""


class HealthUser(HttpUser):
    """A user that asks for the health of a service.

    Attributes:
        path: Where the health check is.
        expected: The status codes that count as a success.
    """

    abstract = True
    wait_time = constant(1)
    path: ClassVar[str] = "/health"
    expected: ClassVar[tuple[int, ...]] = (200,)

    @task
    def ask(self) -> None:
        """Ask once."""
        with self.client.get(
            self.path, name=f"GET {self.path}", catch_response=True, timeout=10
        ) as answer:
            if answer.status_code not in self.expected:
                # A refused connection has the status 0 and an error of its own.
                answer.failure(answer.error or Refused(f"status {answer.status_code}"))
            else:
                answer.success()


class ChatUser(User):
    """A user that chats over one WebSocket, in JSON frames with a ``type``.

    Each text holds a marker of the user and a number, so that an answer to another
    message or to another user is seen. What the user sent and got an answer for has
    to be in its history when it leaves, where `history` asks for one.

    Attributes:
        path: Where the WebSocket is.
        answer: The type of the frame that holds the answer.
        error: The type of an error frame.
        greeting: The type of the frame that a new socket gets; empty means none.
        timeout_s: Seconds after which a message without an answer is lost.
        name: The name of the requests in the report.
    """

    abstract = True
    wait_time = constant(1)
    path: ClassVar[str] = "/ws"
    answer: ClassVar[str] = "answer"
    error: ClassVar[str] = "error"
    greeting: ClassVar[str] = ""
    timeout_s: ClassVar[float] = 10.0
    name: ClassVar[str] = "chat"

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.user_id = str(uuid.uuid4())
        self._socket: Any = None
        self._reader: Any = None
        self._came: Any = Queue()
        self._count = 0
        self._answered: list[str] = []

    # To be overridden

    def headers(self) -> Mapping[str, str]:
        """Return the headers that authenticate this user."""
        return {}

    def message(self, text: str, message_id: str) -> Mapping[str, Any]:
        """Return the frame for a text."""
        return {"type": "message", "id": message_id, "text": text}

    def text_of(self, frame: Mapping[str, Any]) -> str:
        """Return the text of an answer, which has to quote the text of the message."""
        return str(frame["text"])

    def history(self) -> Mapping[str, Any] | None:
        """Return the frame that asks for the history; ``None`` asks for none."""
        return None

    def remembered(self, frame: Mapping[str, Any]) -> list[str] | None:
        """Return the texts of this user in a frame; ``None`` if it is not a history."""
        return frame.get("messages")

    # Behaviour

    def on_start(self) -> None:
        """Connect; a failure is an exception in the start of a user."""
        self._connect()

    @task
    def chat(self) -> None:
        """Send one message and wait for its answer."""
        self._count += 1
        text = f"{self.user_id} {self._count}"
        self._timed(self.name, lambda: self._turn(text))

    def on_stop(self) -> None:
        """Compare the history with the answers, and leave."""
        if self.history() is not None and self._answered:
            self._timed(f"{self.name} history", self._compare)
        self._close()

    def _timed(self, name: str, work: Any) -> None:
        started = time.perf_counter()
        error: Exception | None = None
        try:
            work()
        except Exception as failure:
            error = failure
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=(time.perf_counter() - started) * 1000,
            response_length=0,
            exception=error,
            context={},
        )

    def _turn(self, text: str) -> None:
        if self._socket is None:
            self._connect()
        self._send(self.message(text, str(uuid.uuid4())))
        frame = self._receive(self.answer)
        if not self._quotes(self.text_of(frame), text):
            raise Mixed(f"{self.name}: an answer to another message")
        self._answered.append(text)

    @staticmethod
    def _quotes(answer: str, text: str) -> bool:
        """Return whether an answer quotes this text and not one that begins with it."""
        _, found, rest = answer.partition(text)
        return bool(found) and not rest[:1].isdigit()

    def _compare(self) -> None:
        if self._socket is None:
            self._connect()
        frame = self.history()
        if frame is not None:
            self._send(frame)
        texts: list[str] | None = None
        while texts is None:
            texts = self.remembered(self._next())
        if any(self.user_id not in text for text in texts):
            raise Mixed("history: a message of another user")
        if any(text not in texts for text in self._answered):
            raise Lost("history: an answered message is missing")

    def _connect(self) -> None:
        parts = urlsplit(self.host or "")
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._socket = websocket.create_connection(
            f"{scheme}://{parts.netloc}{self.path}",
            timeout=self.timeout_s,
            header=[f"{name}: {value}" for name, value in self.headers().items()],
        )
        self._socket.settimeout(None)
        self._came = Queue()
        # Reads also while the user waits, so that pings of the server are answered.
        self._reader = gevent.spawn(_read, self._socket, self._came)
        if self.greeting:
            try:
                self._receive(self.greeting)
            except Exception:
                # The next message opens a new connection.
                self._close()
                raise

    def _send(self, frame: Mapping[str, Any]) -> None:
        try:
            self._socket.send(json.dumps(frame))
        except Exception:
            self._close()
            raise

    def _receive(self, wanted: str) -> Mapping[str, Any]:
        """Return the next frame of a type; the others are passed over."""
        while True:
            frame = self._next()
            if frame.get("type") == wanted:
                return frame
            if frame.get("type") == self.error:
                raise Refused(f"{self.name}: the service answered with an error")

    def _next(self) -> Mapping[str, Any]:
        try:
            came = self._came.get(timeout=self.timeout_s)
        except Empty:
            self._close()
            raise Lost(f"{self.name}: no answer in {self.timeout_s:g} s") from None
        if isinstance(came, Exception):
            # A connection that broke is an error; the next message opens a new one.
            self._close()
            raise came
        frame: Mapping[str, Any] = json.loads(came)
        return frame

    def _close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            self._reader.kill()
            with suppress(Exception):
                socket.close()


def _read(socket: Any, came: Any) -> None:
    """Put each frame into a queue, and at last the reason why there are no more."""
    try:
        while text := socket.recv():
            came.put(text)
        came.put(ConnectionError("the service closed the connection"))
    except Exception as error:
        came.put(error)
