"""A health endpoint for FastAPI, with its place in the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Unpack

# FastAPI reads the annotations of the route's function in this module: a name that
# only type checkers know would be a query parameter, and each probe answered with 422.
from fastapi import APIRouter, Request, Response

from ..health import Checked
from ..health.endpoint import Endpoint
from ..report.health_json import MEDIA_TYPE
from ..report.models import HealthReport

if TYPE_CHECKING:
    from ..health.endpoint import Options

__all__ = ["Checked", "health_router"]

_OTHERS: Final = ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_STATUS: Final = {"type": "string", "enum": ["pass", "warn", "fail"]}
_HEALTH_JSON: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": _STATUS,
        "checks": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["status"],
                    "properties": {"status": _STATUS},
                },
            },
        },
    },
}


def health_router(
    check: Any = None,
    *,
    path: str = "/health",
    dependencies: Sequence[Any] = (),
    tags: Sequence[str] = ("health",),
    include_in_schema: bool = True,
    **options: Unpack[Options],
) -> APIRouter:
    """Return a router with one route, which answers probes.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        path: The path of the route.
        dependencies: Dependencies of the route, such as ``Depends(signed_in)``.
        tags: Tags in the schema.
        include_in_schema: Whether the schema has the route.
        **options: Those of a health endpoint: ``probe``, ``deadline_s``,
            ``memory_s``, ``expected`` and ``reveal``, which gets the request.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """
    endpoint = Endpoint(check, by="health_router()", **options)

    async def health(request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        status, headers, body = await endpoint.arespond(request, request.method, accept)
        return Response(body, status, dict(headers))

    router = APIRouter(dependencies=list(dependencies), tags=[*tags])
    router.add_api_route(
        path,
        health,
        methods=["GET"],
        response_class=Response,
        responses=_responses(),
        summary="State of the service and of its components",
        include_in_schema=include_in_schema,
    )
    # Not with GET in one route, or both would have one operation id in the schema.
    router.add_api_route(path, health, methods=[*_OTHERS], include_in_schema=False)
    return router


def _responses() -> dict[int | str, dict[str, Any]]:
    """Return the answers as OpenAPI has them."""
    content = {
        MEDIA_TYPE: {"schema": _HEALTH_JSON},
        "application/json": {"schema": HealthReport.model_json_schema()},
        "text/plain": {"schema": _STATUS},
    }
    return {
        200: {"description": "Healthy, or degraded", "content": content},
        503: {"description": "Unhealthy", "content": content},
    }
