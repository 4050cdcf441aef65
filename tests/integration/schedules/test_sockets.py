"""Schedules over real loopback sockets."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import pytest

from coroguard.testing.schedules import explore, replay

POLICIES = ("jitter", "random", "pct")
TEXTS = [f"message {number}" for number in range(3)]


async def streams() -> None:
    """Three clients talk to an echo server made of asyncio's own streams."""

    serving: list[asyncio.Task[None]] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for text in TEXTS:
            writer.write(f"{text}\n".encode())
            await writer.drain()
            assert (await reader.readline()).decode() == f"{text}\n"
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.gather(*(client(port) for _ in range(3)))
        await asyncio.gather(*serving)


@asynccontextmanager
async def echo_server(handle):
    """Serve with websockets, on a port that the kernel chooses."""
    serve = pytest.importorskip("websockets.asyncio.server").serve
    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def websocket_echo() -> None:
    """Two clients talk to an echo server made with websockets."""
    connect = pytest.importorskip("websockets.asyncio.client").connect

    async def echo(connection) -> None:
        async for message in connection:
            await connection.send(message)

    async def client(url: str) -> None:
        async with connect(url, proxy=None) as connection:
            for text in TEXTS:
                await connection.send(text)
                assert await connection.recv() == text

    async with echo_server(echo) as url:
        await asyncio.gather(client(url), client(url))


async def counted(lock: AbstractAsyncContextManager[object]) -> int:
    """Count the messages of two clients, over an await."""
    connect = pytest.importorskip("websockets.asyncio.client").connect
    count = 0

    async def handle(connection) -> None:
        nonlocal count
        async for message in connection:
            async with lock:
                before = count
                await asyncio.sleep(0)
                count = before + 1
            await connection.send(message)

    async def client(url: str, turns: int) -> None:
        async with connect(url, proxy=None) as connection:
            for _ in range(turns):
                await asyncio.sleep(0)
            for text in TEXTS:
                await connection.send(text)
                await connection.recv()

    async with echo_server(handle) as url:
        await asyncio.gather(client(url, 0), client(url, 6))
    return count


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("program", [streams, websocket_echo])
def test_correct_servers_pass(program, policy: str) -> None:
    """Transports and protocols stay intact in every order."""
    found = explore(program, runs=25, policy=policy)
    assert found.failure is None
    assert found.different > 15


@pytest.mark.parametrize("policy", POLICIES)
def test_lost_update_between_sockets_is_found(policy: str) -> None:
    """A race of two connections is found; the machine takes part in its replays."""

    async def race() -> None:
        assert await counted(nullcontext()) == 2 * len(TEXTS)

    async def correct() -> None:
        assert await counted(asyncio.Lock()) == 2 * len(TEXTS)

    failure = explore(race, runs=200, policy=policy).failure
    assert failure is not None
    again = replay(race, failure.token)
    assert str(again).startswith(f"reproduced {again.reproduced} of 5")
    assert explore(correct, runs=25, policy=policy).failure is None
