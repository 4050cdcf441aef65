"""A report in the ``application/health+json`` format."""

# Source: draft-inadarei-api-health-check-06, sections 3 and 4.

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import JsonValue

    from coroguard.report.models import ComponentHealth, HealthReport

Verdict: TypeAlias = Literal["pass", "warn", "fail"]

MEDIA_TYPE: Final = "application/health+json"
VERDICTS: Final[dict[str, Verdict]] = {
    "healthy": "pass",
    "degraded": "warn",
    "failed": "fail",
}


def verdict(report: HealthReport) -> Verdict:
    """Return pass, warn or fail; warn is healthy with a degraded component."""
    if not report.healthy:
        return "fail"
    statuses = {component.status for component in report.component_details.values()}
    return "warn" if "degraded" in statuses else "pass"


def health_json(report: HealthReport) -> dict[str, JsonValue]:
    """Return a report as the draft describes it.

    Args:
        report: A report that ``check_report`` accepts.

    Returns:
        The JSON object, its values shared with the report. ``checks`` is
        there also when it is empty, ``output`` only for warn and fail.
    """
    status = verdict(report)
    body: dict[str, JsonValue] = {"status": status}
    notes: list[JsonValue] = [report.summary, *report.error_suggestions]
    body["notes"] = [note for note in notes if note]
    if status != "pass":
        body["output"] = _output(report)
    body["checks"] = _checks(report)
    return body


def _output(report: HealthReport) -> str:
    """Join the errors of the components, or return the summary."""
    errors = [
        f"{name}: {component.error}"
        for name, component in report.component_details.items()
        if component.error and component.status != "healthy"
    ]
    return "; ".join(errors) or report.summary


def _checks(report: HealthReport) -> dict[str, JsonValue]:
    """Return an array for each name; components of the same name share one."""
    checks: dict[str, list[JsonValue]] = {}
    time = _rfc3339(report.timestamp)
    for name, component in report.component_details.items():
        entry = _check(component, time)
        checks.setdefault(_key(name, component), []).append(entry)
    return dict(checks)


def _key(name: str, component: ComponentHealth) -> str:
    """Return the name of a check, in which the draft reserves the colon."""
    name = name.replace(":", "%3A")
    return name if component.duration_ms is None else f"{name}:responseTime"


def _check(component: ComponentHealth, time: str) -> dict[str, JsonValue]:
    """Return one component; the draft's own fields replace extra ones."""
    entry: dict[str, JsonValue] = dict(component.__pydantic_extra__ or {})
    entry.pop("output", None)
    entry |= {"status": VERDICTS[component.status], "time": time}
    if component.duration_ms is not None:
        entry |= {"observedValue": component.duration_ms, "observedUnit": "ms"}
    if component.status != "healthy" and component.error:
        entry["output"] = component.error
    if component.error_code is not None:
        entry["error_code"] = component.error_code
    if component.details is not None:
        entry["details"] = component.details
    return entry


def _rfc3339(moment: datetime) -> str:
    """Return a time in the format of RFC 3339, with Z for UTC."""
    return moment.isoformat().replace("+00:00", "Z")
