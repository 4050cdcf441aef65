"""The server behind the fault proxy, and clients that talk to it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from coroguard.gates.faults import FaultProxy

# Long enough for a busy machine, and nobody waits for it when all is well.
PATIENCE_S = 60.0


class Talk:
    """A client's connection to the echo server, through the proxy."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def says(self, text):
        """What comes back for a line, and the milliseconds it took."""
        started = time.monotonic()
        self.writer.write(text.encode() + b"\n")
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE_S)
        return line.decode().rstrip(), (time.monotonic() - started) * 1000

    async def ending(self):
        """How the connection ends: closed, or reset."""
        try:
            await asyncio.wait_for(self.reader.read(), PATIENCE_S)
        except ConnectionResetError:
            return "reset"
        return "closed"


@pytest.fixture
async def echo():
    """A server that returns every line; its port."""
    writers = []

    async def answer(reader, writer):
        writers.append(writer)
        try:
            while line := await reader.readline():
                writer.write(line)
        except OSError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.transport.abort()
    ending = (writer.wait_closed() for writer in writers)
    await asyncio.gather(*ending, return_exceptions=True)


@pytest.fixture
def proxy(echo):
    with FaultProxy("127.0.0.1", echo) as proxy:
        yield proxy


@pytest.fixture
def connect(proxy):
    """Open a connection through the proxy."""

    @asynccontextmanager
    async def connect():
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        yield Talk(reader, writer)
        writer.transport.abort()

    return connect
