"""The chat service as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from coroguard import CoroguardError, HealthReport, alerts
from coroguard.demo.database import Database
from coroguard.demo.error_handler import component_health, failure_frame
from coroguard.demo.errors import ComponentUnavailable, Rejected
from coroguard.demo.manager_factory import factory
from coroguard.demo.redis_manager import RedisManager
from coroguard.demo.session import ChatSession, Components
from coroguard.demo.settings import Settings
from coroguard.demo.tokens import TokenVerifier
from coroguard.integrations import prometheus

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

    from starlette.requests import Request

log = logging.getLogger("coroguard.demo.chat")

_IMPACT = "users of the chat get an error instead of an answer"
_HEALTH_JSON = "application/health+json"
# One thread for each error handler that waits for a health check: the threads sleep,
# and with the default of a few, users would learn of an outage one by one.
_WAITING_HANDLERS = 256


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the chat service.

    Args:
        settings: Its addresses and limits; `None` reads the environment.

    Raises:
        ConfigError: An address or limit cannot be used.
    """
    chosen = Settings.from_env() if settings is None else settings

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        executor = ThreadPoolExecutor(_WAITING_HANDLERS, "health-report")
        asyncio.get_running_loop().set_default_executor(executor)
        parts = connect(chosen)
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

    routes = [
        Route("/health", health),
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


async def health(_request: Request) -> Response:
    """Answer with the report, and with 503 where a component has failed."""
    try:
        found = await asyncio.to_thread(component_health, None)
        report = HealthReport.model_validate(found)
        body, status = report.to_health_json(), report.http_status
    except CoroguardError as leak:
        body, status = {"status": "fail", "output": str(leak).splitlines()[0]}, 503
    return Response(json.dumps(body), status, media_type=_HEALTH_JSON)


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
