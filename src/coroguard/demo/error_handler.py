"""The error frame of a failed component."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from coroguard import CoroguardError, HealthReportError, guard
from coroguard.demo.frames import error_frame

if TYPE_CHECKING:
    from coroguard.demo.context import UserExecutionContext
    from coroguard.demo.errors import ComponentUnavailable

log = logging.getLogger("coroguard.demo.chat")


# A guard on the original function does not help once another module's function has
# its name. So the guard is here, where the name is looked up, and judges the result
# of the function that the name resolves to.
@guard
def component_health(user_context: UserExecutionContext | None) -> dict[str, Any]:
    """Return the report of the health check, whichever module it comes from."""
    from coroguard.demo.websocket_core import validate_websocket_component_health

    return validate_websocket_component_health(user_context)


async def failure_frame(
    failure: ComponentUnavailable, user_context: UserExecutionContext
) -> dict[str, Any]:
    """Return the error frame for a failed component."""
    log.warning("turn broken off: %s", failure)
    request_id = user_context.request_id
    try:
        health_report = await asyncio.to_thread(component_health, user_context)
    except CoroguardError as refused:
        log.exception("the health check cannot be trusted")
        leaked = not isinstance(refused, HealthReportError)
        return error_frame(
            "HEALTH_CHECK_LEAK" if leaked else "HEALTH_REPORT_INVALID",
            str(refused).splitlines()[0],
            failed_components=[failure.component],
            suggestions=["Send the message again in a moment."],
            request_id=request_id,
        )
    suggestions = health_report.get("error_suggestions", [])
    summary = health_report.get("summary", "Component health check failed")
    failed = health_report.get("failed_components", [])
    return error_frame(
        "COMPONENT_UNAVAILABLE",
        # The component may be back by now, and the turn is lost all the same.
        summary if failed else str(failure),
        failed_components=failed or [failure.component],
        suggestions=suggestions or ["Send the message again."],
        request_id=request_id,
    )
