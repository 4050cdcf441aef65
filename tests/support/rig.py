"""The servers and links of the chat service, with faults injected into both."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import asyncpg
import httpx
from redis import Redis

from coroguard import __version__
from coroguard.demo.agent import EVENTS
from coroguard.demo.backends.stack import Stack
from coroguard.gates.faults import FaultProxy
from coroguard.gates.ready_made import ChatScript, ChatService

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from coroguard.demo.backends.postgres import Postgres
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.backends.valkey import Valkey
    from coroguard.gates import GateRecord

COMPONENTS = {"database": "DATABASE_URL", "redis": "REDIS_URL", "auth": "AUTH_URL"}


@dataclass(frozen=True, slots=True)
class Lane:
    """A chat service with links of its own.

    Args:
        service: How the gates talk to it.
        process: Its process.
        links: The proxy before each component.
    """

    service: ChatService
    process: PythonService
    links: Mapping[str, FaultProxy]


class HurtServer:
    """A server that the gates may kill and suspend."""

    def __init__(self, server: Postgres | Valkey | PythonService) -> None:
        self._server = server

    def kill(self) -> None:
        """Kill it."""
        self._server.kill()

    def freeze(self) -> None:
        """Suspend it."""
        self._server.process.freeze()

    def restart(self) -> None:
        """Resume it if it was suspended, start it again if it was killed."""
        self._server.process.thaw()
        if not self._server.process.running:
            self._server.restart()


class Rig:
    """PostgreSQL, Valkey, the auth service, and chat services on links of their own.

    Use as a context manager, on the thread that ends last. Chat services start when
    they are first asked for.

    Args:
        mode: The `COROGUARD_MODE` of the chat services.
        modules: A directory to put before all others on their `sys.path`; `None` for
            none.
    """

    def __init__(self, *, mode: str, modules: Path | None = None) -> None:
        self._mode = mode
        self._modules = modules
        self._open = ExitStack()
        self._lanes: dict[str, Lane] = {}
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            # Not the servers of the environment: faults are for our own only.
            self.stack = opening.enter_context(Stack({}))
            self._issuer = opening.enter_context(
                httpx.Client(trust_env=False, verify=False, timeout=60)
            )
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.close()

    @cached_property
    def links(self) -> dict[str, FaultProxy]:
        """The links for health checks in this process."""
        return self._new_links()

    @property
    def servers(self) -> dict[str, HurtServer]:
        """The servers behind the components."""
        stack = self.stack
        found: dict[str, Postgres | Valkey | PythonService | None] = {
            "database": stack.postgres,
            "redis": stack.valkey,
            "auth": stack.auth,
        }
        return {name: HurtServer(server) for name, server in found.items() if server}

    def addresses(self, links: Mapping[str, FaultProxy]) -> dict[str, str]:
        """Return the addresses of the components behind these links."""
        return {
            variable: links[name].url(self.stack.addresses[variable])
            for name, variable in COMPONENTS.items()
        }

    def spawn(self, *names: str, deadline_s: float) -> None:
        """Start chat services, unless they run, and wait until all are ready.

        Args:
            names: What they are called.
            deadline_s: Seconds that one of their components may take.
        """
        new = {
            name: self._spawn(name, deadline_s)
            for name in names
            if name not in self._lanes
        }
        for process, _ in new.values():
            process.wait_ready()
        for name, (process, links) in new.items():
            service = self.chat_service(process, deadline_s)
            self._lanes[name] = Lane(service, process, links)

    def lane(self, name: str) -> Lane:
        """Return a chat service that was started."""
        return self._lanes[name]

    def chat_service(self, process: PythonService, deadline_s: float) -> ChatService:
        """Return how the gates talk to a chat service."""
        return ChatService(
            url=process.url,
            script=ChatScript(
                events=EVENTS,
                greeting="ready",
                error_keys=("code", "message", "failed_components", "suggestions"),
                headers=self.headers,
                history={"type": "history"},
                remembered=_remembered,
            ),
            # One deadline for the turn, and one for the health check that follows.
            deadline_s=2 * deadline_s,
            # No service hangs because the machine is busy; a planted fault may.
            slack_s=10.0 if self._modules is None else 2.0,
            log=lambda: process.log_text,
        )

    def headers(self, user_id: str) -> dict[str, str]:
        """Return the headers of a user, whose token is fetched once."""
        if user_id not in self._tokens:
            answer = self._issuer.post(
                self.stack.addresses["AUTH_URL"] + "/token",
                json={"user_id": user_id},
                headers={"authorization": f"Bearer {self.stack.auth_secret}"},
            )
            answer.raise_for_status()
            self._tokens[user_id] = str(answer.json()["token"])
        return {"authorization": f"Bearer {self._tokens[user_id]}"}

    def add_services(self, record: GateRecord) -> None:
        """Record that a gate used the services of this rig, and that they are real."""
        for name, version in self._versions.items():
            record.service(name, real=True, version=version)

    @cached_property
    def _versions(self) -> dict[str, str]:
        addresses = self.stack.addresses
        with Redis.from_url(addresses["REDIS_URL"]) as client:  # pyright: ignore[reportUnknownMemberType]
            about: Any = client.info("server")  # pyright: ignore[reportUnknownMemberType]
        with ThreadPoolExecutor(1) as pool:  # a loop may run in this thread
            version = _postgres_version(addresses["DATABASE_URL"])
            postgres = pool.submit(asyncio.run, version).result()
        return {
            "database": f"PostgreSQL {postgres}",
            "redis": f"Valkey {about.get('valkey_version', about['redis_version'])}",
            "auth": f"coroguard.demo {__version__}",
        }

    def _spawn(
        self, name: str, deadline_s: float
    ) -> tuple[PythonService, dict[str, FaultProxy]]:
        links = self._new_links()
        env = {
            **self.addresses(links),
            "CHAT_DEADLINE_S": str(deadline_s),
            "CHAT_HEALTH_DEADLINE_S": str(deadline_s),
            # Cached keys would hide that the auth service is away.
            "CHAT_JWKS_TTL_S": "0" if name == "auth" else "300",
        }
        twin = None if self._modules is None else str(self._modules)
        return self.stack.chat(name, mode=self._mode, twin=twin, env=env), links

    def _new_links(self) -> dict[str, FaultProxy]:
        addresses = self.stack.addresses
        return {
            name: self._open.enter_context(FaultProxy.before(addresses[variable]))
            for name, variable in COMPONENTS.items()
        }


_lock = threading.Lock()
_shared: list[Rig] = []
_borrowers = 0


@contextmanager
def shared_rig(*, mode: str, modules: Path | None = None) -> Generator[Rig, None, None]:
    """Share one rig between all blocks that overlap; the first decides its mode."""
    global _borrowers
    with _lock:
        if not _shared:
            _shared.append(Rig(mode=mode, modules=modules).__enter__())
        _borrowers += 1
    try:
        yield _shared[0]
    finally:
        with _lock:
            _borrowers -= 1
            if not _borrowers:
                _shared.pop().__exit__(None, None, None)


async def _postgres_version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()


def _remembered(frame: Mapping[str, Any]) -> list[str]:
    return [m["text"] for m in frame["messages"] if m["role"] == "user"]
