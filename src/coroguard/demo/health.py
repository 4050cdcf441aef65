"""The health check of the components that the chat needs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from coroguard import guard
from coroguard.demo.checks import LINKS, check_manager_factory, check_user_context
from coroguard.demo.errors import ComponentUnavailable, ConfigError
from coroguard.health import HealthChecks, collect
from coroguard.health.answers import report_of

if TYPE_CHECKING:
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
_LONG_S = 30.0


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
    links = _links(tuple(LINKS.items()), tuple(os.environ.items())).collect()
    # Those are shared with other callers, so checks of one caller are not among them.
    own: dict[str, Callable[[], Any]] = {
        "user_context": partial(check_user_context, user_context),
        "manager_factory": check_manager_factory,
    }
    # They wait for nothing, so no deadline is theirs.
    owned = collect(own, deadline_s=_LONG_S)
    found = links.component_details | owned.component_details
    return build_report({name: it.model_dump() for name, it in found.items()})


def build_report(details: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the report that follows from the components' details.

    Args:
        details: By component: `status`, `error`, `error_code`, `details`,
            `duration_ms`.
    """
    failed = [name for name, found in details.items() if found["status"] == "failed"]
    return report_of(dict(details), [_suggestion(name) for name in failed])


# In an outage every user's error handler asks at the same moment: unless they share a
# run, the checks of a thousand users starve each other past their deadlines.
@lru_cache(maxsize=8)
def _links(
    checks: tuple[tuple[str, Callable[..., Any]], ...],
    environ: tuple[tuple[str, str], ...],
) -> HealthChecks:
    """Return the checks of the links, for all callers in the same environment."""
    known = dict(environ)
    return HealthChecks(
        {name: partial(_without_secrets, check, known) for name, check in checks},
        deadline_s=_deadline_s(known),
        memory_s=0,
    )


async def _without_secrets(
    check: Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]],
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """Run a check; show the texts of errors that are free of secrets."""
    try:
        return await check(environ)
    except ComponentUnavailable as failure:
        error, code = failure.problem, failure.code
    except ConfigError as problem:
        error, code = str(problem), "CONFIGURATION"
    return {"status": "failed", "error": error, "error_code": code}


def _suggestion(name: str) -> str:
    return _SUGGESTIONS.get(name, f"Look at component_details[{name!r}].")


def _deadline_s(environ: Mapping[str, str]) -> float:
    try:
        return float(environ.get("CHAT_HEALTH_DEADLINE_S", "") or _DEFAULT_DEADLINE_S)
    except ValueError:
        return _DEFAULT_DEADLINE_S
