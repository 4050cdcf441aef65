"""Requests of ASGI applications, watched for leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._inspect.callables import name_of as function_name
from ..._runtime import drops
from ..._runtime.scopes import Request
from .requests import (
    REQUEST_ID,
    RequestScope,
    marked_function,
    method_of,
    name_of,
    valid_id,
)
from .routes import route_of

if TYPE_CHECKING:
    from ..asgi import App, Receive, Scope, Send
    from .requests import Hooks

__all__ = ["WatchMiddleware"]


def _watching(hooks: Hooks) -> Any:
    async def call(
        self: WatchMiddleware, scope: Scope, receive: Receive, send: Send
    ) -> None:
        with hooks.watched(_AsgiScope, scope, self.header):
            await self.app(scope, receive, send)

    return call


class WatchMiddleware:
    """Watch every request, WebSocket and lifespan of an ASGI application.

    A coroutine that is dropped in one is an event at once, with method, route and
    identifier of the request; so is an exception that a coroutine caused, which
    passes as it is. Nothing is ever raised.

    Args:
        app: The application.
        request_id: Header that identifies a request, unless the application
            keeps ``request_id`` in the state of the request.
    """

    def __init__(self, app: App, *, request_id: str = REQUEST_ID) -> None:
        drops.install()
        self.app = app
        self.header = request_id.lower().encode("latin-1")

    __call__ = marked_function(_watching)


class _AsgiScope(RequestScope):
    """The scope of a request that has an ASGI scope."""

    def described(self) -> tuple[Request, str]:
        scope: Scope = self.subject
        if scope["type"] == "lifespan":
            return Request(), "lifespan"
        method = "WEBSOCKET"
        if scope["type"] == "http":
            method = method_of(scope["method"])
        request = Request(method, route_of(scope), _id(scope, self.id_name))
        endpoint = scope.get("endpoint")
        return request, name_of(request, function_name(endpoint) if endpoint else "")


def _id(scope: Scope, header: bytes) -> str:
    state: Any = scope.get("state") or {}
    known = state.get("request_id")
    return valid_id(known) or next(
        (valid_id(value) for name, value in scope["headers"] if name == header), ""
    )
