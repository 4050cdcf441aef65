"""The smallest guarded WebSocket service.

Each message is answered after an async health check that touches nothing: there is
no database or network in whose shade the guard could hide. Runs as a process:
`python -m benchmarks.echo_service` prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from coroguard import guard
from coroguard.integrations.middleware.asgi import WatchMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["main"]

_NAMES = ("database", "redis", "auth", "user_context", "manager_factory")


@guard(returns=Any)
async def may_send(text: str) -> bool:
    """Permit every message that is not empty."""
    return bool(text)


@guard
async def health_report() -> dict[str, Any]:
    """Report on five components, anew each time."""
    return {
        "healthy": True,
        "failed_components": [],
        "component_details": {
            name: {"status": "healthy", "details": {"connected": True}}
            for name in _NAMES
        },
        "error_suggestions": [],
        "timestamp": datetime.now(UTC),
        "summary": "All 5 components are healthy",
    }


async def leaks_only(websocket: WebSocket) -> None:
    """Ask a guard that looks for leaks before each answer."""
    await websocket.accept()
    try:
        while True:
            allowed = await may_send(await websocket.receive_text())
            await websocket.send_text(f"healthy: {allowed}")
    except WebSocketDisconnect:
        return


async def hello(request: Request) -> Response:  # noqa: ARG001
    """Answer a request, and do nothing else."""
    return PlainTextResponse("hello")


async def full_check(websocket: WebSocket) -> None:
    """Have a whole report checked before each answer."""
    await websocket.accept()
    try:
        while True:
            await websocket.receive_text()
            report = await health_report()
            await websocket.send_text(f"healthy: {report['healthy']}")
    except WebSocketDisconnect:
        return


def main() -> None:
    """Serve on a free port of the loopback, and print which."""
    routes = [
        WebSocketRoute("/leaks", leaks_only),
        WebSocketRoute("/report", full_check),
        Route("/hello", hello),
    ]
    app: Any = Starlette(routes=routes)
    if os.environ.get("WATCHED"):
        app.add_middleware(WatchMiddleware)
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_ping_interval=None,  # the client counts bytes, and knows no pings
        lifespan="off",
        log_level="error",
        access_log=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Else a body waits 40 ms for the client to confirm the headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        asyncio.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()
