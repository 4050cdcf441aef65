"""The smallest guarded WebSocket service.

Each message is answered after an async health check that touches nothing: there is
no database or network in whose shade the guard could hide. Runs as a process:
`python -m benchmarks.echo_service` prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from coroguard import guard

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
    ]
    config = uvicorn.Config(
        Starlette(routes=routes),
        ws="websockets-sansio",
        ws_ping_interval=None,  # the client counts bytes, and knows no pings
        lifespan="off",
        log_level="error",
        access_log=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        asyncio.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()
