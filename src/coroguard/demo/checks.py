"""Checks of the components that a chat turn needs."""

# Each check returns details to show, or raises an error with the reason.

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import httpx

from coroguard.demo.context import UserExecutionContext
from coroguard.demo.database import LOST
from coroguard.demo.errors import ComponentUnavailable
from coroguard.demo.manager_factory import factory
from coroguard.demo.redis_manager import RedisManager
from coroguard.demo.settings import Settings, check_url, redact
from coroguard.demo.tokens import fetch_keys

# The caller sets the deadline; the client's own would be one more, and may not hold.
_UNLIMITED_S = 3600.0


async def check_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Check that every address and limit of the service can be used."""
    settings = Settings.from_env(environ)
    return {"deadline_s": settings.deadline_s}


async def check_database(environ: Mapping[str, str]) -> dict[str, Any]:
    """Check that PostgreSQL answers a query on a new connection."""
    url = check_url("DATABASE_URL", environ.get("DATABASE_URL"))
    try:
        connection = await asyncpg.connect(url, timeout=_UNLIMITED_S)
        try:
            version = await connection.fetchval("SHOW server_version")
        finally:
            connection.terminate()
    except LOST as lost:
        text = redact(str(lost) or type(lost).__name__, url)
        code = "DATABASE_UNREACHABLE"
        raise ComponentUnavailable("database", text, code=code) from None
    return {"server": f"PostgreSQL {str(version).split()[0]}"}


async def check_redis(environ: Mapping[str, str]) -> dict[str, Any]:
    """Check that Redis answers on a new connection."""
    url = check_url("REDIS_URL", environ.get("REDIS_URL"))
    manager = RedisManager(url, _UNLIMITED_S)
    try:
        await manager.ping()
    finally:
        await manager.close()
    return {"answer": "PONG"}


async def check_auth(environ: Mapping[str, str]) -> dict[str, Any]:
    """Check that the auth service publishes keys."""
    url = check_url("AUTH_URL", environ.get("AUTH_URL")).rstrip("/")
    # Plain HTTP needs no certificates, and reading them takes longer than the check.
    verify = url.startswith("https")
    async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
        keys = await fetch_keys(client, url, _UNLIMITED_S)
    return {"keys": len(keys.keys)}


def check_user_context(user_context: object) -> dict[str, Any]:
    """Check that the ids, if there are any, are real ones."""
    if user_context is None:
        return {"user": "none"}
    if not isinstance(user_context, UserExecutionContext):
        kind = type(user_context).__name__
        raise TypeError(f"expected a UserExecutionContext, got {kind}")
    return {"user": user_context.user_id}


def check_manager_factory() -> dict[str, Any]:
    """Check that a socket would get a manager."""
    someone = UserExecutionContext(*(str(uuid.uuid4()) for _ in range(5)))
    manager = factory.create_manager(someone)
    factory.release(manager)
    return {"in_use": factory.in_use}


LINKS: dict[str, Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]] = {
    "environment": check_environment,
    "database": check_database,
    "redis": check_redis,
    "auth": check_auth,
}
