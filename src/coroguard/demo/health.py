"""The health check of the components that the chat needs."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from coroguard import guard
from coroguard.demo import health_loop
from coroguard.demo.checks import LINKS, check_manager_factory, check_user_context
from coroguard.demo.deadline import within
from coroguard.demo.errors import (
    ComponentUnavailable,
    ConfigError,
    InvalidContextError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from coroguard.demo.context import UserExecutionContext

__all__ = ["build_report", "validate_websocket_component_health"]

_SUGGESTIONS = {
    "environment": "Set the variable that the error names, then restart the service.",
    "database": "Check that PostgreSQL runs and that DATABASE_URL points at it.",
    "redis": "Check that Redis or Valkey runs and that REDIS_URL points at it.",
    "auth": "Check that the auth service runs and that AUTH_URL points at it.",
    "user_context": "Give the five ids, each of them str(uuid.uuid4()).",
    "manager_factory": "Close idle connections or raise the factory's capacity.",
}
_DEFAULT_DEADLINE_S = 1.0


@guard
def validate_websocket_component_health(
    user_context: UserExecutionContext | None = None,
) -> dict[str, Any]:
    """Check every component that a chat turn needs, all at once.

    Synchronous, so it blocks its caller: at most for the deadline of a component,
    `CHAT_HEALTH_DEADLINE_S`, even where a link is black-holed.

    Args:
        user_context: Ids to check too; `None` for none.

    Returns:
        A report of the shape of `coroguard.HealthReport`.
    """
    # A copy: the checks run on another thread, and the variables may change.
    environ = dict(os.environ)
    key = tuple(environ.get(name) for name in ("DATABASE_URL", "REDIS_URL", "AUTH_URL"))
    details = health_loop.run_shared(key, lambda: _check_links(environ))
    # The run is shared, so checks of one caller are not part of it.
    own = {
        "user_context": _check_now("user_context", check_user_context, user_context),
        "manager_factory": _check_now("manager_factory", check_manager_factory),
    }
    return build_report(details | own)


def build_report(details: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the report that follows from the components' details.

    Args:
        details: By component: `status`, `error`, `error_code`, `details`,
            `duration_ms`.
    """
    failed = [name for name, found in details.items() if found["status"] == "failed"]
    count = len(details)
    summary = (
        f"{len(failed)} of {count} components failed: {', '.join(failed)}"
        if failed
        else f"{count} of {count} components are healthy"
    )
    return {
        "healthy": not failed,
        "failed_components": failed,
        "component_details": dict(details),
        "error_suggestions": [_suggestion(name) for name in failed],
        "timestamp": datetime.now(UTC),
        "summary": summary,
    }


async def _check_links(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    deadline_s = _deadline_s(environ)
    checks = (
        _check_link(name, check(environ), deadline_s) for name, check in LINKS.items()
    )
    return dict(zip(LINKS, await asyncio.gather(*checks), strict=True))


async def _check_link(
    name: str, check: Awaitable[dict[str, Any]], deadline_s: float
) -> dict[str, Any]:
    async def work() -> dict[str, Any]:
        return await check

    started = time.perf_counter()
    try:
        found = _healthy(await within(deadline_s, work()))
    except Exception as problem:
        found = _failed(name, problem)
    return found | {"duration_ms": _ms_since(started)}


def _check_now(name: str, check: Any, *args: object) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        found = _healthy(check(*args))
    except Exception as problem:
        found = _failed(name, problem)
    return found | {"duration_ms": _ms_since(started)}


def _healthy(details: dict[str, Any]) -> dict[str, Any]:
    return {"status": "healthy", "error": None, "error_code": None, "details": details}


def _failed(name: str, problem: Exception) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": _text(problem),
        "error_code": _code(name, problem),
        "details": {"component": name, "exception": type(problem).__name__},
    }


def _text(problem: Exception) -> str:
    if isinstance(problem, ComponentUnavailable):
        return problem.problem
    if isinstance(problem, (ConfigError, InvalidContextError, TimeoutError, TypeError)):
        return str(problem)
    # Unforeseen, so unredacted: its text may hold an address with its password.
    return type(problem).__name__


def _code(name: str, problem: Exception) -> str:
    if isinstance(problem, ComponentUnavailable):
        return problem.code
    if isinstance(problem, TimeoutError):
        return f"{name.upper()}_TIMEOUT"
    return f"{name.upper()}_INVALID"


def _suggestion(name: str) -> str:
    return _SUGGESTIONS.get(name, f"Look at component_details[{name!r}].")


def _deadline_s(environ: Mapping[str, str]) -> float:
    try:
        return float(environ.get("CHAT_HEALTH_DEADLINE_S", "") or _DEFAULT_DEADLINE_S)
    except ValueError:
        return _DEFAULT_DEADLINE_S


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
