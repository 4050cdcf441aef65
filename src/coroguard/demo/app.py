"""The chat service as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncGenerator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from coroguard import alerts
from coroguard.demo.database import Database
from coroguard.demo.error_handler import component_health, failure_frame
from coroguard.demo.errors import ComponentUnavailable, Rejected
from coroguard.demo.manager_factory import factory
from coroguard.demo.redis_manager import RedisManager
from coroguard.demo.session import ChatSession, Components
from coroguard.demo.settings import Settings
from coroguard.demo.tokens import TokenVerifier
from coroguard.integrations import prometheus
from coroguard.integrations.asgi import HealthEndpoint

if TYPE_CHECKING:
    from starlette.requests import Request

log = logging.getLogger("coroguard.demo.chat")

_IMPACT = "users of the chat get an error instead of an answer"
# One thread for each error handler that waits for a health check: the threads sleep,
# and with the default of a few, users would learn of an outage one by one.
_WAITING_HANDLERS = 256


def create_app() -> Starlette:
    """Return the chat service, with the settings of the environment.

    Raises:
        ConfigError: An address or limit cannot be used.
    """
    settings = Settings.from_env()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        executor = ThreadPoolExecutor(_WAITING_HANDLERS, "health-report")
        asyncio.get_running_loop().set_default_executor(executor)
        parts = connect(settings)
        app.state.parts = parts
        uninstall = prometheus.install()
        if os.environ.get("COROGUARD_ALERT_URL"):
            alerts.install(service="chat", impact=_IMPACT)
        try:
            await _prepare(parts)
            yield
        finally:
            uninstall()
            await parts.tokens.close()
            await parts.redis.close()
            await parts.database.close()

    endpoint = HealthEndpoint(
        partial(component_health, None),
        deadline_s=settings.health_deadline_s + 1,
        memory_s=0,  # the story asks again at once
        reveal=True,  # the texts of the errors are free of secrets
    )
    routes = [
        Route("/health", endpoint),
        Route("/naive-health", naive_health),
        Route("/metrics", metrics),
        WebSocketRoute("/ws", chat),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def connect(settings: Settings) -> Components:
    """Return the components; each connects when it is first used."""
    return Components(
        settings=settings,
        database=Database(settings.database_url, settings.deadline_s),
        redis=RedisManager(
            settings.redis_url, settings.deadline_s, rate_limit=settings.rate_limit
        ),
        tokens=TokenVerifier(
            settings.auth_url,
            issuer=settings.issuer,
            audience=settings.audience,
            deadline_s=settings.deadline_s,
            ttl_s=settings.jwks_ttl_s,
        ),
        factory=factory,
    )


async def _prepare(parts: Components) -> None:
    """Create the tables; a database that is down now may be up for the first user."""
    try:
        await parts.database.make_tables()
    except ComponentUnavailable as failure:
        log.warning("starting without: %s", failure)


async def naive_health(_request: Request) -> Response:
    """Believe the check, as an endpoint without coroguard does; for comparison."""
    found = await asyncio.to_thread(component_health, None)
    status, code = ("pass", 200) if found["healthy"] else ("fail", 503)
    return Response(json.dumps({"status": status}), code, media_type="application/json")


async def metrics(_request: Request) -> Response:
    """Answer with the metrics of Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def chat(websocket: WebSocket) -> None:
    """Serve one client until it leaves or is rejected."""
    await websocket.accept()
    session = ChatSession(
        websocket.app.state.parts,
        websocket,
        token=_token(websocket),
        thread_id=websocket.query_params.get("thread_id"),
    )
    try:
        await _serve(session, websocket)
    except WebSocketDisconnect:
        pass
    except Rejected as rejected:
        await websocket.close(rejected.code, rejected.reason)
    finally:
        await session.close()


async def _serve(session: ChatSession, websocket: WebSocket) -> None:
    await _survive(session.open(), session, websocket)
    while True:
        raw = await websocket.receive_text()
        await _survive(session.handle(raw), session, websocket)


async def _survive(
    turn: Awaitable[None], session: ChatSession, websocket: WebSocket
) -> None:
    """Await a turn; where a component fails, send an error frame and go on."""
    try:
        await turn
    except ComponentUnavailable as failure:
        frame = await failure_frame(failure, session.context)
        await websocket.send_text(json.dumps(frame))


def _token(websocket: WebSocket) -> str:
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token
    return websocket.query_params.get("token", "")
