"""Reports as application/health+json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coroguard.report import HealthReport

SCHEMA = Path(__file__).parents[2] / "docs/reference/health-report.schema.json"
FAILED = {"redis": {"status": "failed", "error": "refused", "error_code": "E1"}}
DEGRADED = {"database": {"status": "degraded", "error": "slow", "duration_ms": 12.5}}
HEALTHY = {"auth": {"status": "healthy", "duration_ms": 2, "details": {"keys": 2}}}


def make(components: dict[str, Any], **changes: Any) -> HealthReport:
    failed = [name for name, it in components.items() if it["status"] == "failed"]
    fields = {
        "healthy": not failed,
        "failed_components": failed,
        "component_details": components,
        "error_suggestions": ["start redis"] if failed else [],
        "timestamp": "2025-09-09T12:00:00+00:00",
        "summary": "as shown",
    }
    return HealthReport.model_validate(fields | changes)


def test_whole_body() -> None:
    """One report of all three states, as the draft has it."""
    report = make(FAILED | DEGRADED | HEALTHY)
    assert report.to_health_json() == {
        "status": "fail",
        "notes": ["as shown", "start redis"],
        "output": "redis: refused; database: slow",
        "checks": {
            "redis": [
                {
                    "status": "fail",
                    "time": "2025-09-09T12:00:00Z",
                    "output": "refused",
                    "error_code": "E1",
                }
            ],
            "database:responseTime": [
                {
                    "status": "warn",
                    "time": "2025-09-09T12:00:00Z",
                    "observedValue": 12.5,
                    "observedUnit": "ms",
                    "output": "slow",
                }
            ],
            "auth:responseTime": [
                {
                    "status": "pass",
                    "time": "2025-09-09T12:00:00Z",
                    "observedValue": 2.0,
                    "observedUnit": "ms",
                    "details": {"keys": 2},
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("report", "status", "http_status"),
    [
        (make(HEALTHY), "pass", 200),
        (make({}), "pass", 200),
        (make(HEALTHY | DEGRADED), "warn", 200),
        (make(HEALTHY | FAILED), "fail", 503),
        (make(HEALTHY, healthy=False), "fail", 503),
    ],
    ids=["healthy", "empty", "degraded", "failed", "unhealthy, nothing failed"],
)
def test_status(report: HealthReport, status: str, http_status: int) -> None:
    """Pass and warn answer 200, fail answers 503."""
    shown = (report.to_health_json()["status"], report.http_status)
    assert shown == (status, http_status)


def test_pass_has_no_output() -> None:
    """Nothing that passes has an output, though an error is still set."""
    error = {"status": "healthy", "error": "old news", "output": "old news"}
    assert "old news" not in json.dumps(make({"a": error}).to_health_json())


def test_output_without_errors_is_the_summary() -> None:
    """A failure that no component explains has the summary as its output."""
    assert make({}, healthy=False).to_health_json()["output"] == "as shown"


def test_empty_notes_are_left_out() -> None:
    """An empty text is not among the notes."""
    report = make({}, summary="", error_suggestions=["", "x"])
    assert report.to_health_json()["notes"] == ["x"]


def test_the_drafts_own_members_pass() -> None:
    """Extra fields that the draft knows are passed on as they are."""
    extra = {"componentType": "datastore", "affectedEndpoints": ["/chat"]}
    checks: Any = make({"a": {"status": "healthy"} | extra}).to_health_json()["checks"]
    assert extra.items() <= checks["a"][0].items()


def test_extra_fields_do_not_outvote() -> None:
    """An extra field cannot change the time of a check."""
    checks: Any = make({"a": {"status": "failed", "time": "never"}}).to_health_json()
    assert checks["checks"]["a"][0]["time"] == "2025-09-09T12:00:00Z"


def test_names_with_a_colon() -> None:
    """The colon is the draft's; names that become equal share one array."""
    component = {"status": "healthy"}
    checks: Any = make({"a:b": component, "a%3Ab": component}).to_health_json()[
        "checks"
    ]
    assert {name: len(nodes) for name, nodes in checks.items()} == {"a%3Ab": 2}


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        ("2025-09-09T12:00:00.5+00:00", "2025-09-09T12:00:00.500000Z"),
        ("2025-09-09T12:00:00+02:00", "2025-09-09T12:00:00+02:00"),
    ],
    ids=["UTC", "another zone"],
)
def test_time(timestamp: str, time: str) -> None:
    """A moment is written as RFC 3339 has it."""
    report = make({"a": {"status": "healthy"}}, timestamp=timestamp)
    checks: Any = report.to_health_json()["checks"]
    assert checks["a"][0]["time"] == time


def test_media_type() -> None:
    """The media type is an attribute of the model."""
    assert HealthReport.media_type == "application/health+json"


def test_published_schema() -> None:
    """The published JSON Schema is the model's."""
    assert json.loads(SCHEMA.read_text()) == HealthReport.model_json_schema()
