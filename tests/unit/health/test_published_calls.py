"""Collected checks, for those who are subscribed to calls."""

from __future__ import annotations

import threading

import pytest

from coroguard import guard, subscribe
from coroguard.health import Checked, collect, health_response, left_behind


@pytest.fixture
def calls():
    found = []
    unsubscribe = subscribe(found.append, calls=True)
    yield found
    unsubscribe()


async def is_connected():
    return True


def works():
    return True


def answers_no():
    return False


def raises():
    raise ConnectionRefusedError


def answers_wrong():
    return 7


def leaks():
    return is_connected()


def outcomes(calls):
    return {call.check: call.outcome for call in calls}


def test_each_check_is_a_call_with_its_outcome(calls):
    """The name is that of the component, and the outcome what became of it."""
    checks = [works, answers_no, raises, answers_wrong, leaks]
    collect({check.__name__: check for check in checks}, deadline_s=30)
    assert outcomes(calls) == {
        "works": "healthy",
        "answers_no": "failed",
        "raises": "raised",
        "answers_wrong": "invalid",
        "leaks": "leaked",
    }
    assert len(calls) == len(checks)
    assert all(call.duration_ms >= 0 for call in calls)


def test_an_optional_check_is_degraded(calls):
    """An optional component that fails does not count as unhealthy."""
    collect({"mail": Checked(raises, optional=True)}, deadline_s=30)
    assert outcomes(calls) == {"mail": "degraded"}
    assert calls[0].is_healthy


def test_a_guarded_check_of_a_report_is_one_call(calls):
    """The guard of a whole report publishes its call; the endpoint adds none."""

    @guard
    def report():
        return {
            "healthy": True,
            "failed_components": [],
            "component_details": {"database": {"status": "healthy"}},
            "error_suggestions": [],
            "timestamp": "2026-01-01T00:00:00Z",
            "summary": "all is well",
        }

    assert health_response(report, deadline_s=30).status == 200
    assert [(call.check, call.outcome) for call in calls] == [
        (report.__qualname__, "healthy")
    ]


def test_a_run_that_hangs_is_a_gauge():
    """`coroguard_checks_left_behind` counts the runs that outlived their deadline."""
    client = pytest.importorskip("prometheus_client", reason="an optional package")
    from coroguard.integrations import prometheus

    registry = client.CollectorRegistry()
    uninstall = prometheus.install(registry)
    gate = threading.Event()
    ended = threading.Event()

    def hangs():
        gate.wait(60)
        ended.set()

    try:
        collect({"hangs": hangs}, deadline_s=0.01)
        assert registry.get_sample_value("coroguard_checks_left_behind") == 1
        gate.set()
        assert ended.wait(60)
        while left_behind():
            threading.Event().wait(0.001)
        collect({"works": works}, deadline_s=30)
        assert registry.get_sample_value("coroguard_checks_left_behind") == 0
    finally:
        gate.set()
        uninstall()
