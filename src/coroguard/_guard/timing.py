"""The calls of health checks, for their subscribers."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import is_kind
from .._runtime.events import emit_call
from .._runtime.hot import HOT
from .._runtime.modes import Mode
from .._runtime.scopes import Scope

if TYPE_CHECKING:
    from .._runtime.events import Outcome
    from .terms import Terms


def is_check(terms: Terms) -> bool:
    """Return whether this is the guard of a health check, and not in mode off."""
    return terms.contract.settle().is_report and terms.mode is not Mode.OFF


def timed(terms: Terms) -> Scope | None:
    """Return a scope that only holds the time, where the guard is on a check."""
    if not is_check(terms):
        return None
    scope = Scope()
    scope.started = perf_counter()
    return scope


def emit_done(
    terms: Terms, value: object, wrong: Outcome | None, started: float | None
) -> None:
    """Emit a call that returned.

    Args:
        terms: Those of the guard.
        value: What the call returned.
        wrong: What is wrong with it, if anything.
        started: ``perf_counter()`` at its start; ``None`` where nobody listens.
    """
    if HOT.timed and started is not None and is_check(terms):
        emit_call(terms.name, wrong or _status(value), started)


def emit_ended(
    terms: Terms, error: BaseException | None, started: float | None
) -> None:
    """Emit a call that an exception ended."""
    if not HOT.timed or started is None or isinstance(error, GeneratorExit):
        return
    if is_check(terms):
        is_error = isinstance(error, Exception)
        emit_call(terms.name, "raised" if is_error else "cancelled", started)


def _status(report: Any) -> Outcome:
    """Return the status of a valid report; ``healthy`` if there is no report."""
    if report is None:
        return "healthy"
    from ..report.json_values import MAPPINGS, fields_of, items_of

    def fields(value: Any) -> dict[Any, Any]:
        is_mapping = is_kind(value, *MAPPINGS)
        return dict(items_of(value)) if is_mapping else fields_of(value)

    try:
        held = fields(report)
        if not held["healthy"]:
            return "failed"
        components = dict(items_of(held["component_details"])).values()
        statuses = {fields(component)["status"] for component in components}
    except Exception:  # it stands for another object, or was changed meanwhile
        return "invalid"
    return "degraded" if "degraded" in statuses else "healthy"
