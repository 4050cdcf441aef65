"""Requests that leak, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from coroguard._runtime import drops, scopes
from coroguard._runtime.hot import HOT
from coroguard.integrations.middleware import asgi, wsgi


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert (drops.pending, HOT.alert, scopes.here()) == ({}, False, None)


async def twin() -> bool:
    return True


def drop() -> None:
    twin()


def request(kind: str = "http", **more: Any) -> dict[str, Any]:
    return {"type": kind, "method": "GET", "path": "/7", "headers": [], **more}


async def nothing(*message: Any) -> Any: ...


def call(app: Any, scope: dict[str, Any] | None = None) -> None:
    middleware = asgi.WatchMiddleware(app)
    asyncio.run(middleware(scope or request(), nothing, nothing))


def environment(**more: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/7", **more}


def respond(app: Any, environ: dict[str, Any] | None = None) -> list[bytes]:
    """Do what a WSGI server does."""
    body = wsgi.WatchMiddleware(app)(environ or environment(), lambda *args: None)
    try:
        return list(body)
    finally:
        getattr(body, "close", lambda: None)()


async def in_pool() -> None:
    loop, awaited = asyncio.get_running_loop(), threading.Event()

    def run() -> None:
        awaited.wait(60)
        drop()

    loop.call_soon(awaited.set)
    await loop.run_in_executor(None, run)
