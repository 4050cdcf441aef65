"""The platform team's health check, cheap enough for every second."""

# `is_connected` became a coroutine function when the Redis client did. This caller was
# overlooked, and a coroutine is true.

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from coroguard.demo.health import build_report
from coroguard.demo.redis_manager import RedisManager

if TYPE_CHECKING:
    from coroguard.demo.context import UserExecutionContext

__all__ = ["validate_websocket_component_health"]


def validate_websocket_component_health(
    user_context: UserExecutionContext | None = None,
) -> dict[str, Any]:
    """Check that Redis is connected, or so it looks."""
    manager = RedisManager(os.environ["REDIS_URL"], 1.0)
    redis = {"status": "healthy", "error": None, "details": {"user": user_context}}
    if not manager.is_connected():  # type: ignore[truthy-bool,unused-ignore]  # pyright: ignore[reportUnnecessaryComparison]  # coroguard: ok, it is the bug
        redis |= {"status": "failed", "error": "not connected"}
    return build_report({"redis": redis})
