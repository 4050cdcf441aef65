"""Answers of checks, as components of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast

from .._inspect.awaitables import class_name, is_kind
from .._inspect.texts import cut
from .._leaks.leak import Leak, LeakKind
from ..report.json_values import MAPPINGS, is_exact_json, items_of, json_faults
from ..report.models import ComponentHealth, HealthReport

LEAK: Final = "COROUTINE_LEAK"
RAISED: Final = "CHECK_RAISED"
SAID_NO: Final = "CHECK_FAILED"
WRONG: Final = "WRONG_ANSWER"
LATE: Final = "DEADLINE_PASSED"
RUNNING: Final = "STILL_RUNNING"
BLOCKED: Final = "LOOP_BLOCKED"
MISSING: Final = "CHECK_MISSING"

_STATUSES: Final = ("healthy", "degraded", "failed")
_ADVICE: Final = {
    RAISED: "look in the log of coroguard.health for the traceback of {name}",
    WRONG: "return True, False, None, a dict of details or a ComponentHealth",
    LATE: "look at what {name} waits for, or raise its deadline_s",
    RUNNING: "look at what {name} waits for: an earlier run of it has not ended",
    BLOCKED: "make {name} a plain function, or await what it waits for",
    MISSING: "add a check of the name {name}",
}
_DID: Final = {
    LeakKind.SYMPTOM: "was reported as text",
    LeakKind.MISUSED: "was used as a value",
    LeakKind.NOT_AWAITABLE: "was awaited",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run of a check.

    Args:
        value: What it returned.
        code: Why it failed; empty where it returned.
        error: The same in words, without a value of the program's.
        advice: What to type.
        duration_ms: How long it took.
    """

    value: Any = None
    code: str = ""
    error: str = ""
    advice: str = ""
    duration_ms: float = 0.0

    @classmethod
    def failed(cls, code: str, error: str, *, took: float = 0.0) -> Outcome:
        """Return an outcome with the advice of its code."""
        return cls(None, code, error, _ADVICE.get(code, ""), took)

    @classmethod
    def leaked(cls, leak: Leak, took: float, raised: str = "") -> Outcome:
        """Return the outcome of a check that let a coroutine escape.

        Args:
            leak: The leak.
            took: How long it took, in milliseconds.
            raised: The type of an exception that the check raised as well.
        """
        text = f"{leak} {_DID.get(leak.kind, 'was not awaited')}"
        if raised:
            text = f"{raised}; {text}"
        return cls(None, LEAK, text, leak.advice, took)


def component_of(outcome: Outcome) -> dict[str, Any]:
    """Return the component that an outcome makes, of built-in types."""
    if outcome.code:
        return _failed(outcome.code, outcome.error, outcome.duration_ms)
    value, took = outcome.value, outcome.duration_ms
    if value is None or value is True:
        return {"status": "healthy", "duration_ms": took}
    if value is False:
        return _failed(SAID_NO, "the check returned False", took)
    if is_kind(value, MappingProxyType, *MAPPINGS):
        return _of_mapping(value, took)
    if is_kind(value, ComponentHealth):
        return _of_component(cast("ComponentHealth", value), took)
    if is_kind(value, HealthReport):
        return _of_report(cast("HealthReport", value), took)
    return _wrong(f"the check returned a value of type {class_name(type(value))}", took)


def report_of(
    components: Mapping[str, dict[str, Any]], suggestions: list[str]
) -> dict[str, Any]:
    """Return the fields of a report with these components."""
    from datetime import UTC, datetime  # not once, as a test may freeze the clock

    failed = [n for n, it in components.items() if it["status"] == "failed"]
    return {
        "healthy": bool(components) and not failed,
        "failed_components": failed,
        "component_details": components,
        "error_suggestions": suggestions,
        "timestamp": datetime.now(UTC),
        "summary": summary(components),
    }


def summary(components: Mapping[str, Any]) -> str:
    """Return a report in one sentence."""
    if not components:
        return "no component was checked"
    count = len(components)
    failed = [n for n, it in components.items() if it["status"] == "failed"]
    if failed:
        return f"{len(failed)} of {count} components failed: {', '.join(failed)}"
    weak = [n for n, it in components.items() if it["status"] == "degraded"]
    degraded = f"; degraded: {', '.join(weak)}" if weak else ""
    return f"{count - len(weak)} of {count} components are healthy{degraded}"


def advice_of(name: str, outcome: Outcome, component: Mapping[str, Any]) -> str:
    """Return the advice on a component, or ``""``."""
    if component["status"] == "healthy":
        return ""
    advice = outcome.advice or _ADVICE.get(component.get("error_code") or "", "")
    return f"{name}: {advice.format(name=name)}" if advice else ""


def _of_mapping(value: Any, took: float) -> dict[str, Any]:
    """Return details, or the status that a mapping gives."""
    fields = dict(value) if is_kind(value, MappingProxyType) else dict(items_of(value))
    if "healthy" in fields or "status" in fields:
        return _with_status(fields, took)
    found = {"status": "healthy", "details": fields, "duration_ms": took}
    return _checked(found, took)


def _with_status(fields: dict[Any, Any], took: float) -> dict[str, Any]:
    """Return a check's result in the terms of a report or of a component."""
    if "component_details" in fields:
        try:
            return _of_report(HealthReport.model_validate(fields), took)
        except ValueError:
            return _wrong("the check returned a report of the wrong shape", took)
    if "healthy" in fields:
        healthy = fields.pop("healthy")
        if type(healthy) is not bool:
            return _wrong("'healthy' is neither True nor False", took)
        fields.setdefault("status", "healthy" if healthy else "failed")
        if not healthy and fields["status"] == "healthy":
            return _wrong("'healthy' and 'status' disagree", took)
    if fields["status"] not in _STATUSES:
        return _wrong(f"'status' should be one of {', '.join(_STATUSES)}", took)
    if fields.get("duration_ms") is None:
        fields["duration_ms"] = took
    return _checked(fields, took)


def _of_component(value: ComponentHealth, took: float) -> dict[str, Any]:
    fields = {**value.__dict__, **(value.__pydantic_extra__ or {})}
    if fields.get("duration_ms") is None:
        fields["duration_ms"] = took
    return _checked(fields, took)


def _of_report(report: HealthReport, took: float) -> dict[str, Any]:
    """Return a whole report as one component of another."""
    statuses = {it.status for it in report.component_details.values()}
    worst = "degraded" if "degraded" in statuses else "healthy"
    found: dict[str, Any] = {
        "status": worst if report.healthy else "failed",
        "duration_ms": took,
    }
    if found["status"] != "healthy":
        found["error"] = report.summary
    return _checked(found, took)


def _checked(fields: dict[Any, Any], took: float) -> dict[str, Any]:
    """Return the fields of a component, or their faults."""
    if not is_exact_json([fields]):
        for path, why, _ in json_faults(fields):
            where = ".".join(map(str, path))
            return _wrong(f"{cut(where)} {why}", took)
    try:
        ComponentHealth.model_validate(fields)
    except ValueError:
        return _wrong("the check returned a component of the wrong shape", took)
    return fields


def _wrong(error: str, took: float) -> dict[str, Any]:
    return _failed(WRONG, error, took)


def _failed(code: str, error: str, took: float) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": error,
        "error_code": code,
        "duration_ms": took,
    }
