"""The servers behind the chat, ended together."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx

from coroguard.demo.backends.home import temporary_home
from coroguard.demo.backends.postgres import Postgres
from coroguard.demo.backends.python_service import PythonService
from coroguard.demo.backends.valkey import Valkey
from coroguard.demo.checks import LINKS
from coroguard.demo.deadline import within
from coroguard.demo.errors import ComponentUnavailable, ConfigError, StartError
from coroguard.demo.settings import EXAMPLES, check_url

# Directories of modules that another team might deploy beside the service.
TWINS = Path(__file__).parent.parent / "twins"
_NAMES = {"DATABASE_URL": "database", "REDIS_URL": "redis", "AUTH_URL": "auth"}
_PREFLIGHT_S = 3.0
_PATIENCE_S = 30.0


class Stack:
    """PostgreSQL, Valkey, the auth service, and any number of chat services.

    A server whose address is in the environment is used as it is, and never hurt or
    ended. Use as a context manager: what was started ends with the block.

    Args:
        environ: Where `DATABASE_URL`, `REDIS_URL` and `AUTH_URL` may be set; `None`
            means the process's environment.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self.home = temporary_home()
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self.auth: PythonService | None = None
        self._chats: list[PythonService] = []
        self.auth_secret = (
            self._environ.get("AUTH_CLIENT_SECRET") or secrets.token_hex()
        )

    def __enter__(self) -> Self:
        try:
            self._preflight()
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def addresses(self) -> dict[str, str]:
        """The three variables with the addresses that a chat service needs."""
        ours = {
            "DATABASE_URL": self.postgres,
            "REDIS_URL": self.valkey,
            "AUTH_URL": self.auth,
        }
        return {
            name: server.url if server else self._environ[name]
            for name, server in ours.items()
        }

    def chat(
        self,
        name: str,
        *,
        mode: str,
        twin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> PythonService:
        """Start a chat service without waiting for it to be ready.

        Args:
            name: What it is called in messages; also the name of its log.
            mode: Its `COROGUARD_MODE`.
            twin: A directory in `TWINS` to deploy beside it; `None` for none.
            env: Further variables.
        """
        variables = {**self.addresses, "COROGUARD_MODE": mode, **(env or {})}
        modules = TWINS / twin if twin else None
        service = PythonService("chat", name, self.home, env=variables, modules=modules)
        self._chats.append(service)
        service.spawn()
        return service

    def token(self, user_id: str, **wishes: object) -> str:
        """Return a token of the auth service.

        Args:
            user_id: The user of the token.
            wishes: `ttl_s` and claims to overrule.

        Raises:
            ConfigError: The auth service of `AUTH_URL` issues none to us.
        """
        answer = self._ask_auth("/token", {"user_id": user_id, **wishes})
        return str(answer["token"])

    def rotate_keys(self) -> str:
        """Make the auth service sign with a new key; return its id."""
        return str(self._ask_auth("/rotate", {})["kid"])

    def close(self) -> None:
        """Stop all processes and remove their files; repeated calls change nothing.

        A signal that comes meanwhile waits until this is done.
        """
        with _signals_wait():
            self._close()

    def _close(self) -> None:
        servers = [*self._chats, self.auth, self.valkey, self.postgres]
        started = [server for server in servers if server is not None]
        # All are asked first, then waited for: the slowest counts, not the sum.
        for server in started:
            server.process.ask_to_stop()
        for server in started:
            server.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _start(self) -> None:
        if "AUTH_URL" not in self._environ:
            keys = str(self.home / "auth-keys.json")
            env = {"AUTH_CLIENT_SECRET": self.auth_secret, "AUTH_KEYS_FILE": keys}
            self.auth = PythonService("auth", "auth", self.home, env=env)
            self.auth.spawn()
        if "REDIS_URL" not in self._environ:
            self.valkey = Valkey(self._directory("valkey"))
            self.valkey.spawn()
        if "DATABASE_URL" not in self._environ:
            self.postgres = Postgres(self._directory("postgres"))
            self.postgres.prepare()
            self.postgres.spawn()
        for server in (self.postgres, self.valkey, self.auth):
            if server is not None:
                server.wait_ready()

    def _directory(self, name: str) -> Path:
        directory = self.home / name
        directory.mkdir()
        return directory

    def _preflight(self) -> None:
        for name, component in _NAMES.items():
            if name in self._environ:
                check_url(name, self._environ[name])
                asyncio.run(self._reach(name, component))

    async def _reach(self, name: str, component: str) -> None:
        async def check() -> None:
            await LINKS[component](self._environ)

        try:
            await within(_PREFLIGHT_S, check())
        except (ComponentUnavailable, TimeoutError) as failure:
            raise ConfigError(
                f"{name} cannot be reached: {failure}; start that server, or set "
                f"{name}={EXAMPLES[name]}, or unset it to use a server of our own"
            ) from None

    def _ask_auth(self, path: str, wish: dict[str, object]) -> dict[str, object]:
        headers = {"authorization": f"Bearer {self.auth_secret}"}
        url = self.addresses["AUTH_URL"].rstrip("/") + path
        try:
            answer = httpx.post(
                url, json=wish, headers=headers, trust_env=False, timeout=_PATIENCE_S
            )
            answer.raise_for_status()
            found: dict[str, object] = answer.json()
        except (httpx.HTTPError, ValueError) as refused:
            raise (StartError if self.auth else ConfigError)(
                f"AUTH_URL answers POST {path} with {refused}; set "
                "AUTH_CLIENT_SECRET=... to the secret that its token endpoint wants"
            ) from None
        return found


@contextmanager
def _signals_wait() -> Generator[None, None, None]:
    """Deliver signals that would end the process only after the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python runs signal handlers in the main thread only
        return
    arrived: list[int] = []
    before = {
        it: signal.signal(it, lambda number, _frame: arrived.append(number))
        for it in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(it) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for it, handler in before.items():
            signal.signal(it, handler)
        for number in arrived[:1]:
            signal.raise_signal(number)
