"""The report that is checked, and equivalents of its model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NotRequired

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue
from typing_extensions import TypedDict

__all__ = ["PlainReport", "ReportDict", "check_by_hand", "report_of"]

_NAMES = ("database", "redis", "auth", "user_context", "manager_factory")


def report_of(components: int = 5) -> dict[str, Any]:
    """Return a right report with so many components."""
    names = [
        _NAMES[index] if index < len(_NAMES) else f"component_{index}"
        for index in range(components)
    ]
    return {
        "healthy": True,
        "failed_components": [],
        "component_details": {
            name: {
                "status": "healthy",
                "error": None,
                "error_code": None,
                "details": {"connected": True, "host": "127.0.0.1", "retries": 0},
                "duration_ms": 1.25,
            }
            for name in names
        },
        "error_suggestions": [],
        "timestamp": datetime.now(UTC),
        "summary": f"All {components} components are healthy",
    }


class _ComponentDict(TypedDict):
    status: Literal["healthy", "degraded", "failed"]
    error: NotRequired[str | None]
    error_code: NotRequired[str | None]
    details: NotRequired[Any]
    duration_ms: NotRequired[float | None]


class ReportDict(TypedDict):
    """The part of a report that typeguard and beartype can check."""

    healthy: bool
    failed_components: list[str]
    component_details: dict[str, _ComponentDict]
    error_suggestions: list[str]
    timestamp: datetime
    summary: str


class _PlainComponent(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    status: Literal["healthy", "degraded", "failed"]
    error: str | None = None
    error_code: str | None = None
    details: JsonValue = None
    duration_ms: float | None = None


class PlainReport(BaseModel):
    """The same fields as pydantic has them, without the rules between them."""

    model_config = ConfigDict(strict=True, extra="forbid")

    healthy: bool
    failed_components: list[str]
    component_details: dict[str, _PlainComponent]
    error_suggestions: list[str]
    timestamp: AwareDatetime
    summary: str


_FIELDS = {
    "healthy": bool,
    "failed_components": list,
    "component_details": dict,
    "error_suggestions": list,
    "timestamp": datetime,
    "summary": str,
}
_COMPONENT_FIELDS = {
    "error": (str, type(None)),
    "error_code": (str, type(None)),
    "duration_ms": (int, float, type(None)),
}


def check_by_hand(report: Any) -> bool:
    """Return whether a report is right, as one would write it for one service.

    The types, the status words, and the failed components; it does not look
    inside ``details`` or at extra fields.
    """
    if not isinstance(report, dict) or report.keys() != _FIELDS.keys():
        return False
    for name, kind in _FIELDS.items():
        if not isinstance(report[name], kind):
            return False
    failed, details = report["failed_components"], report["component_details"]
    texts = [*failed, *report["error_suggestions"], *details]
    if not all(isinstance(text, str) for text in texts):
        return False
    for component in details.values():
        if component.get("status") not in ("healthy", "degraded", "failed"):
            return False
        for name, kinds in _COMPONENT_FIELDS.items():
            if not isinstance(component.get(name), kinds):
                return False
    really = {name for name, it in details.items() if it["status"] == "failed"}
    return set(failed) == really and report["healthy"] is not bool(failed)
