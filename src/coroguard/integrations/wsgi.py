"""A health endpoint for Flask and every other WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias

from ..health import Checked
from ..health.endpoint import MountedEndpoint

__all__ = ["Checked", "HealthEndpoint"]

Environ: TypeAlias = dict[str, Any]
App: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class HealthEndpoint(MountedEndpoint[App]):
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

    takes_async = False

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request, or pass it on."""
        if self._around is not None and not self._is_at(environ.get("PATH_INFO", "")):
            return self._around(environ, start_response)
        status, headers, body = self._endpoint.respond(
            environ, environ["REQUEST_METHOD"], environ.get("HTTP_ACCEPT", "")
        )
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]
