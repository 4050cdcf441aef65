"""A proxy before a server, which can be poisoned while it runs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Generator, Iterable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

from .link import Link

if TYPE_CHECKING:
    from .toxics import Stream, Toxic

T = TypeVar("T")

_BOTH: tuple[Stream, ...] = ("upstream", "downstream")
_HOST = "127.0.0.1"
_HANGING_UP_S = 0.5
_PATIENCE_S = 30.0


class FaultProxy:
    """A TCP proxy on loopback that injects faults; use as a context manager.

    It runs on a thread and a loop of its own, so toxics can be added from any thread
    and work while the caller is busy. They hold at once, for live connections too.

    Args:
        host: The server's host.
        port: The server's port.

    Attributes:
        port: The proxy's port on loopback, the same for its whole life.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self.port = 0
        self._toxics: dict[Stream, list[Toxic]] = {stream: [] for stream in _BOTH}
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._connecting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @classmethod
    def before(cls, url: str) -> FaultProxy:
        """Return a proxy before the server of an address with host and port.

        Raises:
            ValueError: The address names no port.
        """
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError("the address has no host and port")
        return cls(parts.hostname, parts.port)

    def __enter__(self) -> Self:
        # Bound and not listening, it keeps the port while the proxy is down.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind((_HOST, 0))
        self.port = self._place.getsockname()[1]
        self._thread.start()
        self.up()
        return self

    def __exit__(self, *_error: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._place.close()

    @property
    def connections(self) -> int:
        """The number of connected clients."""
        return len(self._links)

    def url(self, original: str) -> str:
        """Return an address of the server with the proxy's host and port in it."""
        parts = urlsplit(original)
        login, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}{at}{_HOST}:{self.port}").geturl()

    def add(self, toxic: Toxic, *streams: Stream) -> None:
        """Add a toxic; without a stream it works in both directions."""
        self._call(self._change(toxic, streams or _BOTH, add=True))

    def remove(self, toxic: Toxic, *streams: Stream) -> None:
        """Remove a toxic; nothing happens if it is not there."""
        self._call(self._change(toxic, streams or _BOTH, add=False))

    @contextmanager
    def poisoned(self, toxic: Toxic, *streams: Stream) -> Generator[Self, None, None]:
        """Add a toxic, and remove it after the block."""
        self.add(toxic, *streams)
        try:
            yield self
        finally:
            self.remove(toxic, *streams)

    def down(self) -> None:
        """Refuse new connections and end those there are; down already is fine."""
        self._call(self._stop_listening())

    def up(self) -> None:
        """Take connections again, on the same port; up already is fine."""
        self._call(self._listen())

    @contextmanager
    def refusing(self) -> Generator[Self, None, None]:
        """Be down for the length of the block."""
        self.down()
        try:
            yield self
        finally:
            self.up()

    def heal(self) -> None:
        """Take all toxics away, and be up."""
        for stream in _BOTH:
            for toxic in tuple(self._toxics[stream]):
                self.remove(toxic, stream)
        self.up()

    def _call(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    async def _change(
        self, toxic: Toxic, streams: Iterable[Stream], *, add: bool
    ) -> None:
        for stream in streams:
            active = self._toxics[stream]
            with suppress(ValueError):
                (active.append if add else active.remove)(toxic)
        for link in tuple(self._links):
            link.toxics_changed()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(
                self._accept, _HOST, self.port, backlog=1024, reuse_port=True
            )

    async def _stop_listening(self) -> None:
        if self._server is not None:
            # A connection that asyncio has accepted and not yet handed over would
            # lose its socket if the server closed under it.
            for listener in self._server.sockets:
                self._loop.remove_reader(listener.fileno())
            await asyncio.sleep(0)
            self._server.close()
            self._server = None
        for link in tuple(self._links):
            link.close()

    async def _close(self) -> None:
        await self._stop_listening()
        if self._connecting:
            _, late = await asyncio.wait(self._connecting, timeout=_HANGING_UP_S)
            for task in late:
                task.cancel()
        # One whose other end was never made does not end, and is not waited for.
        until = self._loop.time() + _HANGING_UP_S
        while self._links and self._loop.time() < until:
            for link in tuple(self._links):
                link.close()
            await asyncio.sleep(0)

    def _accept(self) -> asyncio.Protocol:
        link = Link(self._toxics, self._links.discard)
        self._links.add(link)
        task = self._loop.create_task(self._connect(link))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return link.client

    async def _connect(self, link: Link) -> None:
        """Connect to the server; a client of one that is away is hung up on."""
        try:
            with suppress(OSError):
                await self._loop.create_connection(lambda: link.server, *self._upstream)
        finally:
            if not link.server.is_open:
                link.server.never_came()
        if link.client.is_gone:
            link.server.close()
        link.toxics_changed()
