"""The real servers that the tests of the chat share, and their faults."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from coroguard.demo.backends.stack import Stack
from coroguard.demo.client import ChatClient

# Long enough for a component that is well on a busy machine.
DEADLINE_S = 4.0
# More than two of its deadlines and a busy machine need.
PATIENCE_S = 60.0
LIMITS = {
    "CHAT_DEADLINE_S": str(DEADLINE_S),
    "CHAT_HEALTH_DEADLINE_S": str(DEADLINE_S),
}


class Link:
    """A TCP link to a server that can swallow everything, like a black hole."""

    def __init__(self, url):
        self._to = urlsplit(url).port
        self._pairs = []
        self._swallowing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        # Tasks that are cancelled while they wait in the hole are expected.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        starting = asyncio.start_server(self._join, "127.0.0.1", 0)
        self._server = self._call(starting)
        port = self._server.sockets[0].getsockname()[1]
        self.url = url.replace(f":{self._to}", f":{port}")

    def swallow(self):
        self._swallowing = True

    def heal(self):
        """Let new connections through; what was in the black hole is lost."""
        self._swallowing = False

    def close(self):
        async def close():
            self._server.close()
            for writer in self._pairs:
                writer.transport.abort()
            await asyncio.sleep(0)
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _join(self, reader, writer):
        self._pairs.append(writer)
        while self._swallowing:
            await asyncio.sleep(3600)
        with suppress(OSError):
            other, onward = await asyncio.open_connection("127.0.0.1", self._to)
            self._pairs.append(onward)
            await asyncio.gather(self._pump(reader, onward), self._pump(other, writer))
        writer.close()

    async def _pump(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self._swallowing:
                    await asyncio.sleep(3600)
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@pytest.fixture(scope="session")
def stack():
    with Stack({}) as stack:
        yield stack


@pytest.fixture(scope="session")
def links(stack):
    found = {name: Link(url) for name, url in stack.addresses.items()}
    yield found
    for link in found.values():
        link.close()


@pytest.fixture(scope="session")
def services(stack, links):
    linked = {name: link.url for name, link in links.items()}
    strict = {**LIMITS, **linked, "CHAT_JWKS_TTL_S": "0", "CHAT_RATE_LIMIT": "10"}
    started = {
        "chat": stack.chat("chat", mode="enforce", env=LIMITS),
        "linked": stack.chat("linked", mode="enforce", env=strict),
    }
    for service in started.values():
        service.wait_ready()
    return started


@pytest.fixture
def chat(services):
    """A chat service whose servers are well when the test begins."""
    return services["chat"]


@pytest.fixture
def linked(services):
    """A chat service that reaches its servers over links, with small limits."""
    return services["linked"]


@pytest.fixture
def hurt(stack, links, services):
    """The servers and links, which are well again after the test."""
    yield stack
    for link in links.values():
        link.heal()
    for server in (stack.postgres, stack.valkey, stack.auth):
        server.process.thaw()
        if not server.process.running:
            server.restart()


@pytest.fixture
def user(stack):
    """Make a user: an id and a token."""

    def make(**wishes):
        user_id = str(uuid.uuid4())
        return user_id, stack.token(user_id, **wishes)

    return make


@pytest.fixture
def enter(user):
    """Open a socket as a new user, or with a token, and receive its first frame."""

    class Entered:
        def __init__(self, service, token, **options):
            options.setdefault("patience_s", PATIENCE_S)
            self._client = ChatClient(service.url, token, **options)

        async def __aenter__(self):
            client = await self._client.__aenter__()
            client.first = await client.receive()
            return client

        async def __aexit__(self, *ending):
            await self._client.__aexit__(*ending)

    def enter(service, token=None, **options):
        return Entered(service, token or user()[1], **options)

    return enter


@pytest.fixture
def timed():
    """Await something; return its result and the seconds it took."""

    async def timed(work):
        started = time.monotonic()
        return await work, time.monotonic() - started

    return timed
