"""`health_report` and its one type, whatever happens."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime

import pytest

from coroguard import CoroutineLeakError
from coroguard.demo.error_handler import failure_frame
from coroguard.demo.errors import ComponentUnavailable
from coroguard.report import check_report
from coroguard.testing import collide

CHECK = "coroguard.demo.websocket_core:validate_websocket_component_health"
COMPONENTS = ("database", "redis", "auth")
# The fields that the callers of the health check read, and their types.
FIELDS = {
    "healthy": bool,
    "failed_components": list,
    "component_details": dict,
    "error_suggestions": list,
    "timestamp": datetime,
    "summary": str,
}


def require_dict(health_report):
    """Fail in the words of the team's troubleshooting guide."""
    kind = type(health_report)
    assert kind is dict, f"health_report is {kind}, not dict"


def dict_operations(health_report):
    """What the error handler in production did with the report, line by line."""
    return (
        health_report.get("error_suggestions", []),
        health_report.get("summary", "Component health check failed"),
        health_report.get("failed_components", []),
    )


@pytest.mark.parametrize("who", ["nobody", "user"])
def test_health_report_returns_dict_not_coroutine(
    health_check, user_context, gate_record, who
):
    """The health check returns a dict, for a user and for nobody."""
    health_report = health_check(user_context if who == "user" else None)
    require_dict(health_report)
    gate_record.did(scenarios=1)


def test_health_report_contains_required_fields(health_check, gate_record):
    """The report has exactly the six fields, each of its type."""
    health_report = health_check()
    types = {name: type(health_report.get(name)) for name in FIELDS}
    assert types == FIELDS
    assert set(health_report) == set(FIELDS)
    gate_record.did(scenarios=1)


def test_async_health_check_collision_simulation(health_check, gate_record):
    """A collision is named, with the file it comes from, and leaves no trace."""
    before = dict_operations(health_check())
    with collide(CHECK), pytest.raises(CoroutineLeakError) as leak:
        # Unguarded, this is the line that ended every connection.
        dict_operations(health_check())
    assert "coroutine 'validate_websocket_component_health'" in str(leak.value)
    assert "demo/health.py:" in str(leak.value)
    assert dict_operations(health_check()) == before
    gate_record.did(scenarios=3)


def test_websocket_error_handler_dict_operations(
    health_check, components, user_context, gate_record
):
    """The operations that failed in staging work, alone and in the error handler."""
    components.down.add("redis")
    suggestions, summary, failed = dict_operations(health_check(user_context))
    assert failed == ["redis"]
    assert summary == "1 of 6 components failed: redis"
    assert len(suggestions) == 1
    failure = ComponentUnavailable("redis", "gone", code="REDIS_UNREACHABLE")
    frame = asyncio.run(failure_frame(failure, user_context))
    shown = (frame["suggestions"], frame["message"], frame["failed_components"])
    assert shown == (suggestions, summary, failed)
    gate_record.did(scenarios=2)


def test_type_safety_enforcement(health_check, components, user_context, gate_record):
    """In every combination of failures the report keeps its shape and the truth."""
    contexts = (None, user_context, "no context")
    counts = range(len(COMPONENTS) + 1)
    for count, who in itertools.product(counts, contexts):
        for down in itertools.combinations(COMPONENTS, count):
            components.down = set(down)
            health_report = health_check(who)
            require_dict(health_report)
            assert check_report(health_report) == []
            wrong = {"user_context"} if who == "no context" else set()
            assert set(health_report["failed_components"]) == {*down, *wrong}
            gate_record.did(scenarios=1)
