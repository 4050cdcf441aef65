"""A WebSocket client that costs next to nothing.

It writes frames that were made beforehand and counts the bytes of the answers, so
that the service is what a round waits for. RFC 6455 in the small: one text frame
of less than 126 bytes each way, masked with zeros, no fragments.
"""

from __future__ import annotations

import base64
import os
import socket

__all__ = ["Line"]

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)
_PATIENCE_S = 30.0


class Line:
    """One connection to the echo service; close it.

    Args:
        port: Of the service, on the loopback.
        path: Of the route.
        message: The text of each message, less than 126 bytes.
        expect: The text of each answer, less than 126 bytes.
    """

    def __init__(self, port: int, path: str, *, message: str, expect: str) -> None:
        self._message = (
            bytes((0x81, 0x80 | len(message), 0, 0, 0, 0)) + message.encode()
        )
        self._answer = bytes((0x81, len(expect))) + expect.encode()
        self._socket = socket.create_connection(("127.0.0.1", port), _PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        handshake = _HANDSHAKE.format(path=path, port=port, key=key)
        self._socket.sendall(handshake.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        if b" 101 " not in head.splitlines()[0]:
            raise RuntimeError(f"no WebSocket at {path}: {head[:60]!r}")

    def send(self) -> None:
        """Send the message."""
        self._socket.sendall(self._message)

    def receive(self) -> None:
        """Wait for the answer.

        Raises:
            RuntimeError: It is another one.
        """
        answer = self._read(len(self._answer))
        while len(answer) < len(self._answer):
            answer += self._read(len(self._answer) - len(answer))
        if answer != self._answer:
            raise RuntimeError(f"unexpected answer {answer!r}")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self, size: int) -> bytes:
        data = self._socket.recv(size)
        if not data:
            raise RuntimeError("the service hung up")
        return data
