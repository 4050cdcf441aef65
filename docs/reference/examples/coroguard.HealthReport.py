from datetime import UTC, datetime

from coroguard import HealthReport

report = HealthReport(
    healthy=False,
    failed_components=["redis"],
    component_details={"redis": {"status": "failed", "error": "refused"}},
    error_suggestions=["restart Redis"],
    timestamp=datetime.now(UTC),
    summary="redis is down",
)
assert not report
assert report.http_status == 503
assert report.get("error_suggestions", []) == ["restart Redis"]
