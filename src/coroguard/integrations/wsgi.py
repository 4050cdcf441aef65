"""A health endpoint for Flask and every other WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from ..health import Checked
from ..health.endpoint import Endpoint

if TYPE_CHECKING:
    from ..health.endpoint import Options

__all__ = ["Checked", "HealthEndpoint"]

Environ: TypeAlias = dict[str, Any]
App: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class HealthEndpoint:
    """A WSGI application that answers probes.

    ``app.wsgi_app = HealthEndpoint(checks, around=app.wsgi_app)`` puts it around the
    application of Flask.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        around: The application that gets every other request; ``None`` where a
            dispatcher decides.
        path: The path of the endpoint, where it is put around an application.
        **options: Those of a health endpoint: ``probe``, ``deadline_s``,
            ``memory_s``, ``expected`` and ``reveal``, which gets the environment.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """

    def __init__(
        self,
        check: Any = None,
        *,
        around: App | None = None,
        path: str = "/health",
        **options: Unpack[Options],
    ) -> None:
        self._endpoint = Endpoint(check, takes_async=False, **options)
        self._around = around
        self._path = path

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request, or pass it on."""
        if self._around is not None:
            path: str = environ.get("PATH_INFO", "")
            if path.rstrip("/") != self._path.rstrip("/"):
                return self._around(environ, start_response)
        status, headers, body = self._endpoint.respond(
            environ, environ["REQUEST_METHOD"], environ.get("HTTP_ACCEPT", "")
        )
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]
