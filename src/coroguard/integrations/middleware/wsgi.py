"""Requests of WSGI applications, watched for leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

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
from .streams import Stream

if TYPE_CHECKING:
    from .requests import Hooks

    App = Callable[[dict[str, Any], Any], Iterable[bytes]]

__all__ = ["ROUTE", "WatchMiddleware"]

#: The key under which a framework's integration leaves the template of the route.
ROUTE = "coroguard.route"
#: Bodies that run no code of the application.
_FINISHED = (list, tuple)


def _watching(hooks: Hooks) -> Any:
    def call(
        self: WatchMiddleware, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        with hooks.watched(_WsgiScope, environ, self.variable) as request:
            body = self.app(environ, start_response)
            if request is None or isinstance(body, _FINISHED):
                return body
            return body if _is_file(body, environ) else _Body(body, request)

    return call


def _closing(hooks: Hooks) -> Any:
    def close(self: _Body) -> None:
        hooks.reopened(self.request)
        try:
            close: Any = getattr(self.body, "close", None)
            if close is not None:
                close()
        finally:
            self.request.end()

    return close


class _Body(Stream):
    """The body of a response, whose scope ends when the server closes it."""

    def finished(self) -> None:
        """Wait for ``close``, which runs code of the application."""

    close = marked_function(_closing)


class WatchMiddleware:
    """Watch every request of a WSGI application, until its response is sent.

    A coroutine that is dropped in one is an event at once, with method and
    identifier of the request, and its route where that is known. An exception that
    a coroutine caused, and that leaves the application, is one too; it passes as it
    is. Nothing is ever raised.

    Args:
        app: The application.
        request_id: Header that identifies a request.
    """

    def __init__(self, app: App, *, request_id: str = REQUEST_ID) -> None:
        drops.install()
        self.app = app
        self.variable = f"HTTP_{request_id.upper().replace('-', '_')}"

    __call__ = marked_function(_watching)


class _WsgiScope(RequestScope):
    """The scope of a request that has a WSGI environment."""

    def described(self) -> tuple[Request, str]:
        environ: dict[str, Any] = self.subject
        request = Request(
            method_of(environ["REQUEST_METHOD"]),
            environ.get(ROUTE, ""),
            valid_id(environ.get(self.id_name)),
        )
        return request, name_of(request)


def _is_file(body: object, environ: dict[str, Any]) -> bool:
    """Return whether the server sends a body itself, which it does to its own type."""
    wrapper: Any = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)
