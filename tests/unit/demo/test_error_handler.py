"""The error handler's frames, and the bug that it does not hide."""

from __future__ import annotations

import uuid

import pytest

from coroguard import HealthReportError
from coroguard.demo import error_handler
from coroguard.demo.context import UserExecutionContext
from coroguard.demo.errors import ComponentUnavailable
from coroguard.demo.health import build_report

FAILURE = ComponentUnavailable("database", "gone", code="DATABASE_UNREACHABLE")


@pytest.fixture
def context():
    return UserExecutionContext(*(str(uuid.uuid4()) for _ in range(5)))


@pytest.fixture
def health(monkeypatch):
    """Let the health check return or raise something."""

    def health(found):
        def component_health(_context):
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(error_handler, "component_health", component_health)

    return health


async def test_the_frame_has_the_findings_of_the_report(health, context):
    """Summary, failed components and suggestions come from the report."""
    failed = {"status": "failed", "error": "gone", "details": {}}
    report = build_report({"database": failed, "redis": failed})
    health(report)
    assert await error_handler.failure_frame(FAILURE, context) == {
        "type": "error",
        "code": "COMPONENT_UNAVAILABLE",
        "message": report["summary"],
        "failed_components": ["database", "redis"],
        "suggestions": report["error_suggestions"],
        "request_id": context.request_id,
    }


async def test_a_component_that_is_back_already_is_named(health, context):
    """Where the report finds nothing any more, the frame names what ended the turn."""
    health(build_report({"database": {"status": "healthy"}}))
    frame = await error_handler.failure_frame(FAILURE, context)
    assert frame["failed_components"] == ["database"]
    assert frame["message"] == "database: gone"
    assert frame["suggestions"]


async def test_a_report_that_was_refused_gets_a_structured_frame(health, context):
    """A refused report costs its details, not the frame."""
    health(HealthReportError("check", ["$.healthy: missing"]))
    frame = await error_handler.failure_frame(FAILURE, context)
    assert (frame["code"], frame["failed_components"]) == (
        "HEALTH_REPORT_INVALID",
        ["database"],
    )


async def test_without_the_guard_the_handler_fails_as_in_the_seed(health, context):
    """Nothing but the guard prevents the crash of the seed."""

    async def twin():
        return {}

    leaked = twin()
    health(leaked)
    with pytest.raises(AttributeError, match="'coroutine' object has no attribute"):
        await error_handler.failure_frame(FAILURE, context)
    leaked.close()
