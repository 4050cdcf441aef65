"""The bytes of one connection, and the toxics that act on them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from .toxics import Bandwidth, Latency, ResetPeer, SlowClose, Stream, Timeout, Toxic

_STREAMS: tuple[Stream, ...] = ("upstream", "downstream")
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Link:
    """A client's connection and the one to the server that answers it.

    Args:
        toxics: What is wrong with each stream; read again whenever it matters.
        ended: Called once, when neither connection is left.
    """

    def __init__(
        self,
        toxics: Mapping[Stream, Sequence[Toxic]],
        ended: Callable[[Link], None],
    ) -> None:
        self._toxics = toxics
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._timers: list[asyncio.TimerHandle] = []
        self.client, self.server = End(self), End(self)
        self._pipes = {
            "upstream": Pipe(self, "upstream", self.server),
            "downstream": Pipe(self, "downstream", self.client),
        }
        self.client.onward, self.client.other = self._pipes["upstream"], self.server
        self.server.onward, self.server.other = self._pipes["downstream"], self.client

    def toxics_of(self, stream: Stream) -> Sequence[Toxic]:
        """Return the toxics of a stream."""
        return self._toxics[stream]

    def toxics_changed(self) -> None:
        """Apply the current toxics to data in flight."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for toxic in (toxic for stream in _STREAMS for toxic in self._toxics[stream]):
            if isinstance(toxic, ResetPeer):
                self._later(toxic.timeout_ms, self.reset)
            elif isinstance(toxic, Timeout) and toxic.timeout_ms:
                self._later(toxic.timeout_ms, self.close)
        for pipe in self._pipes.values():
            pipe.flush()

    def reset(self) -> None:
        """End both connections with a TCP reset."""
        for end in (self.client, self.server):
            end.reset()

    def close(self) -> None:
        """End both connections; data in flight is lost."""
        for end in (self.client, self.server):
            end.close()

    def lost(self, end: End) -> None:
        """End the stream to the other side, in order, after this side was lost."""
        end.onward.pass_on(b"")
        if self.client.is_gone and self.server.is_gone:
            for timer in self._timers:
                timer.cancel()
            self._ended(self)

    def _later(self, delay_ms: float, do: Callable[[], None]) -> None:
        if delay_ms:
            self._timers.append(self._loop.call_later(delay_ms / 1000, do))
        else:
            do()


class Pipe:
    """One stream of a link, in which every chunk waits until it is due."""

    def __init__(self, link: Link, stream: Stream, to: End) -> None:
        self._link = link
        self._stream: Stream = stream
        self._to = to
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def pass_on(self, data: bytes) -> None:
        """Queue a chunk that one end sent; an empty one is the end of its data."""
        self._waiting.append((self._loop.time(), data))
        self.flush()

    def flush(self) -> None:
        """Deliver the chunks that are due, and wait for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._to.is_open:
            toxics = self._link.toxics_of(self._stream)
            arrived_at, data = self._waiting[0]
            if any(isinstance(toxic, Timeout) for toxic in toxics):
                self._swallow()
                return
            due = self._due(arrived_at, data, toxics)
            if due > self._loop.time():
                self._timer = self._loop.call_at(due, self.flush)
                return
            self._waiting.popleft()
            self._free_at = due
            self._to.deliver(data)

    def _due(self, arrived_at: float, data: bytes, toxics: Sequence[Toxic]) -> float:
        due = arrived_at
        for toxic in toxics:
            if isinstance(toxic, Latency):
                due += toxic.latency_ms / 1000
            elif isinstance(toxic, Bandwidth):
                due = max(due, self._free_at) + len(data) / (toxic.rate_kb_s * 1000)
            elif isinstance(toxic, SlowClose) and not data:
                due += toxic.delay_ms / 1000
        return due

    def _swallow(self) -> None:
        """Lose the data; an end that came is passed on when the hole is gone."""
        ends = [item for item in self._waiting if not item[1]]
        self._waiting.clear()
        self._waiting.extend(ends)


class End(asyncio.Protocol):
    """One of the two connections of a link."""

    onward: Pipe
    other: End

    def __init__(self, link: Link) -> None:
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._is_unwanted = False
        self._said_all = False
        self._heard_all = False
        self.is_gone = False

    @property
    def is_open(self) -> bool:
        """Whether data can be delivered to this end."""
        return self._transport is not None and not self.is_gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and deliver the data that came before it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._is_unwanted:
            transport.abort()
        else:
            self.other.onward.flush()

    def data_received(self, data: bytes) -> None:
        """Pass the data on."""
        self.onward.pass_on(data)

    def eof_received(self) -> bool:
        """Pass the end on; the other direction stays open while it is in use."""
        self._said_all = True
        self.onward.pass_on(b"")
        return not self._heard_all

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Notify the link."""
        self.never_came()

    def never_came(self) -> None:
        """Note that the connection is lost, or was never made."""
        if not self.is_gone:
            self.is_gone = True
            self._link.lost(self)

    # Data that cannot be written soon must not be read soon either.

    def pause_writing(self) -> None:
        """Pause the other end."""
        if self.other.is_open and self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """Resume the other end."""
        if self.other.is_open and self.other._transport is not None:
            self.other._transport.resume_reading()

    def deliver(self, data: bytes) -> None:
        """Send data to the peer of this end; an empty chunk ends the stream."""
        if self._transport is None or self._transport.is_closing():
            return
        if data:
            self._transport.write(data)
            return
        self._heard_all = True
        if self._said_all or self.other.is_gone:
            self._transport.close()
        else:
            self._transport.write_eof()

    def close(self) -> None:
        """Close the connection at once, or as soon as it is made."""
        self._is_unwanted = True
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Close with a TCP reset, as a socket does that may not linger."""
        if self.is_open and self._transport is not None:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            self._transport.abort()
