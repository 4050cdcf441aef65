"""The shape of the report that the health check builds."""

from __future__ import annotations

import itertools

import pytest

from coroguard import HealthReport
from coroguard.demo.health import build_report

NAMES = ("environment", "database", "redis", "auth", "user_context", "manager_factory")
SUBSETS = [
    failed
    for count in range(len(NAMES) + 1)
    for failed in itertools.combinations(NAMES, count)
]


def details(failed):
    return {
        name: {
            "status": "failed" if name in failed else "healthy",
            "error": "gone" if name in failed else None,
            "error_code": None,
            "details": {"component": name},
            "duration_ms": 0.1,
        }
        for name in NAMES
    }


def test_every_combination_of_failures_is_a_right_report():
    """Whichever components fail, the report is well-formed and names exactly those."""
    for failed in SUBSETS:
        report = HealthReport.model_validate(build_report(details(failed)))
        assert report.failed_components == list(failed)
        assert report.healthy is not bool(failed)
        assert len(report.error_suggestions) == len(failed)


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_component_has_a_suggestion_of_its_own(name):
    """Each component that can fail has its own suggestion."""
    suggestions = build_report(details((name,)))["error_suggestions"]
    assert "component_details" not in suggestions[0]
