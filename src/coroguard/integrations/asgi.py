"""A health endpoint for Starlette, FastAPI, Litestar, Quart and every ASGI server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from ..health import Checked
from ..health.endpoint import MountedEndpoint

__all__ = ["Checked", "HealthEndpoint"]

# Litestar reads the annotations of ``__call__`` when it makes a handler of it.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class HealthEndpoint(MountedEndpoint[App]):
    """An ASGI application that answers probes.

    An object and not a function, because Starlette and FastAPI pass every method to
    an object. Put it on a route: below a ``Mount``, ``/health`` is answered with 307.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        around: The application that gets every other request, where this one is put
            around it; ``None`` where a router decides.
        path: The path of the endpoint, where it is put around an application.
        **options: Those of a health endpoint: ``probe``, ``deadline_s``,
            ``memory_s``, ``expected`` and ``reveal``, which gets the scope.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """

    takes_async = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] == "http" and self._is_at(path):
            await self._answer(scope, send)
        elif self._around is not None:
            await self._around(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        accept = ",".join(
            value.decode("latin-1")
            for name, value in scope["headers"]
            if name.lower() == b"accept"
        )
        status, headers, body = await self._endpoint.arespond(
            scope, scope["method"], accept
        )
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    """Start and end with the server, where the endpoint is all that it serves."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
