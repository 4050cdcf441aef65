"""A chat over websockets: a suite for the mass guard, as the sdist of it has no tests.

Runs on the client and the server of the package, over loopback.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.sync.client import connect as connect_sync
from websockets.sync.server import serve as serve_sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def echo(connection: ServerConnection) -> None:
    """Answer each message with itself."""
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def talking(
    handler: Any = echo, **options: Any
) -> AsyncIterator[ClientConnection]:
    """Serve with a handler and connect to it."""
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/chat") as client:
            yield client


@pytest.mark.parametrize("message", ["hello", b"\0\1", "x" * 200_000], ids=type)
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_echo(message: str | bytes, compression: str | None) -> None:
    """A message comes back as it was sent."""

    async def main() -> None:
        async with talking(compression=compression) as client:
            for _ in range(20):
                await client.send(message)
                assert await client.recv() == message

    asyncio.run(main())


def test_fragments() -> None:
    """A message in fragments is one message."""

    async def fragments() -> AsyncIterator[str]:
        for part in ("a", "b", "c"):
            yield part

    async def main() -> None:
        async with talking() as client:
            await client.send(fragments())
            assert await client.recv() == "abc"
            await client.send(["d", "e"])
            assert [part async for part in client.recv_streaming()] == ["de"]

    asyncio.run(main())


def test_ping_is_awaited_twice() -> None:
    """A ping gives a future, which is awaited after it was handed on."""

    async def main() -> None:
        async with talking() as client:
            pong = await client.ping()
            assert await asyncio.gather(pong, client.pong()) == [pong.result(), None]

    asyncio.run(main())


def test_broadcast() -> None:
    """A broadcast reaches every connection."""

    async def announce(connection: ServerConnection) -> None:
        broadcast([connection], "to all")
        await connection.wait_closed()

    async def main() -> None:
        async with talking(announce) as client:
            assert await client.recv() == "to all"

    asyncio.run(main())


@pytest.mark.parametrize("code", [1000, 1001, 4000])
def test_close(code: int) -> None:
    """Code and reason of a close reach the other side."""

    async def leave(connection: ServerConnection) -> None:
        await connection.close(code, "bye")

    async def main() -> None:
        async with talking(leave) as client:
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, "bye")

    asyncio.run(main())


def test_handler_that_crashes() -> None:
    """A crash of the handler closes the connection with 1011."""

    async def crash(connection: ServerConnection) -> None:
        raise RuntimeError(await connection.recv())

    async def main() -> None:
        async with talking(crash) as client:
            await client.send("now")
            with pytest.raises(websockets.ConnectionClosedError):
                await client.recv()
            assert client.close_code == 1011

    asyncio.run(main())


def test_request_is_refused() -> None:
    """A handshake that the server refuses raises at the client."""

    def refuse(connection: ServerConnection, _request: Any) -> Any:
        return connection.respond(403, "no")

    async def main() -> None:
        with pytest.raises(websockets.InvalidStatus):
            async with talking(process_request=refuse):
                pass

    asyncio.run(main())


def test_cancelled_recv() -> None:
    """A receive that is cancelled loses no message."""

    async def main() -> None:
        async with talking() as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.recv(), 0.01)
            await client.send("kept")
            assert await client.recv() == "kept"

    asyncio.run(main())


def test_many_users() -> None:
    """Fifty users at once are kept apart."""

    async def talk(port: int, name: str) -> list[str]:
        async with connect(f"ws://127.0.0.1:{port}/") as client:
            await asyncio.gather(*(client.send(f"{name}{i}") for i in range(5)))
            return sorted([str(await client.recv()) for _ in range(5)])

    async def main() -> None:
        async with serve(echo, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            names = [f"user {i}: " for i in range(50)]
            said = await asyncio.gather(*(talk(port, name) for name in names))
        assert said == [[f"{name}{i}" for i in range(5)] for name in names]

    asyncio.run(main())


def test_threads() -> None:
    """The synchronous server and client talk."""

    def answer(connection: Any) -> None:
        for message in connection:
            connection.send(message)

    with serve_sync(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        with connect_sync(f"ws://127.0.0.1:{port}/") as client:
            for number in range(20):
                client.send(str(number))
                assert client.recv() == str(number)
        server.shutdown()
        thread.join()
