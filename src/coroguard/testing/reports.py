"""Valid health reports for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from ..report.models import HealthReport


@overload
def health_report(
    *, as_model: Literal[False] = ..., **overrides: Any
) -> dict[str, Any]: ...
@overload
def health_report(*, as_model: Literal[True], **overrides: Any) -> HealthReport: ...
def health_report(
    *, as_model: bool = False, **overrides: Any
) -> dict[str, Any] | HealthReport:
    """Make a new, valid report of a healthy service.

    Given fields replace those of the report unchecked, so that a wrong value can
    be injected on purpose. The other fields follow from ``failed_components``.

    Args:
        as_model: Return a ``HealthReport``, which is validated, instead of a dict.
        **overrides: Fields of a report.

    Raises:
        pydantic.ValidationError: ``as_model``, and the fields are not valid.
    """
    failed = overrides.get("failed_components")
    names: list[Any] = [*failed] if type(failed) is list else []
    component_details: dict[str, Any] = {"database": {"status": "healthy"}}
    for name in names:
        component_details[name] = {"status": "failed", "error": f"{name} is down"}
    report: dict[str, Any] = {
        "healthy": not names,
        "failed_components": [],
        "component_details": component_details,
        "error_suggestions": [f"restart {name}" for name in names],
        "timestamp": datetime.now(UTC),
        "summary": f"down: {', '.join(map(str, names))}" if names else "all is well",
        **overrides,
    }
    if not as_model:
        return report
    from ..report.models import HealthReport

    return HealthReport.model_validate(report)
