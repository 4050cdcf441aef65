"""A health endpoint for aiohttp."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Unpack

from aiohttp import web

from ..health import Checked
from ..health.endpoint import Endpoint

if TYPE_CHECKING:
    from ..health.endpoint import Options

__all__ = ["Checked", "health_handler"]


def health_handler(
    check: Any = None, **options: Unpack[Options]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler that answers probes.

    Put it on every method, ``app.router.add_route("*", "/health", ...)``: it has its
    own answer to methods that a probe does not have.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        **options: Those of a health endpoint: ``probe``, ``deadline_s``,
            ``memory_s``, ``expected`` and ``reveal``, which gets the request.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """
    endpoint = Endpoint(check, by="health_handler()", **options)

    async def health(request: web.Request) -> web.Response:
        accept = ",".join(request.headers.getall("accept", ()))
        status, headers, body = await endpoint.arespond(request, request.method, accept)
        return web.Response(status=status, headers=headers, body=body)

    return health
