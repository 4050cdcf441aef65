"""The platform team's health check, for callers inside the event loop."""

# A correct function, by itself. Its name is the fault: it is also the name of the
# service's synchronous check.

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from coroguard.demo.checks import LINKS

if TYPE_CHECKING:
    from coroguard.demo.context import UserExecutionContext

__all__ = ["validate_websocket_component_health"]


async def validate_websocket_component_health(
    user_context: UserExecutionContext | None = None,
) -> dict[str, Any]:
    """Check the links of the service; for callers that await."""
    checks = [check(os.environ) for check in LINKS.values()]
    answers = await asyncio.gather(*checks, return_exceptions=True)
    failed = [
        name
        for name, answer in zip(LINKS, answers, strict=True)
        if isinstance(answer, Exception)
    ]
    return {"healthy": not failed, "failed_components": failed, "user": user_context}
