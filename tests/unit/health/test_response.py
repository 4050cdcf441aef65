"""The answer to a probe: 200 or 503, names and statuses, whatever the check does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coroguard import ComponentHealth, GuardUsageError, HealthReport
from coroguard.health import Checked, health_response
from coroguard.health.response import media_type
from coroguard.testing import health_report

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")

HEALTHY = health_report(as_model=True)
DEGRADED = health_report(
    as_model=True, component_details={"mail": {"status": "degraded", "error": "s3cret"}}
)
DOWN = health_report(
    as_model=True,
    failed_components=["database"],
    component_details={
        "database": {
            "status": "failed",
            "error": "s3cret",
            "details": {"url": "s3cret"},
            "node": "s3cret",
        }
    },
    error_suggestions=["s3cret"],
    summary="s3cret",
)


async def is_up() -> bool:
    return False


def raising() -> HealthReport:
    raise RuntimeError("s3cret")


async def areport() -> HealthReport:
    return HEALTHY


@pytest.mark.parametrize(
    ("check", "status", "word"),
    [
        (HEALTHY, 200, "pass"),
        (DEGRADED, 200, "warn"),
        (DOWN, 503, "fail"),
        (health_report(), 200, "pass"),
        (health_report(failed_components=["a"]), 503, "fail"),
        ({"disk": lambda: True}, 200, "pass"),
        ([("disk", lambda: True)], 200, "pass"),
        ({"disk": Checked(lambda: False, optional=True)}, 200, "warn"),
        ({"disk": lambda: False}, 503, "fail"),
        (lambda: HEALTHY, 200, "pass"),
        (lambda: health_report(), 200, "pass"),
        (areport, 200, "pass"),
        (Checked(areport), 200, "pass"),
        ({}, 503, "fail"),
        ([], 503, "fail"),
        (health_report(component_details={}), 503, "fail"),
        (health_report(healthy="yes"), 503, "fail"),
        ({"status": "ok"}, 503, "fail"),
        (None, 503, "fail"),
        (True, 503, "fail"),
        ("pass", 503, "fail"),
        (lambda: None, 503, "fail"),
        (lambda: True, 503, "fail"),
        (lambda: ({}, 200), 503, "fail"),
        (raising, 503, "fail"),
        (lambda: is_up(), 503, "fail"),
        (lambda: health_report(healthy=is_up()), 503, "fail"),
        (lambda: is_up() and HEALTHY, 503, "fail"),
        ({"disk": is_up}, 503, "fail"),
        ({"disk": lambda: is_up()}, 503, "fail"),
    ],
)
def test_status_and_word(check: Any, status: int, word: str) -> None:
    """What is not plainly healthy is 503: a leak, a wrong shape, an exception."""
    found = health_response(check, deadline_s=30)
    assert (found.status, json.loads(found.body)["status"]) == (status, word)


def test_coroutine_in_the_place_of_a_report() -> None:
    """A coroutine is closed and answered with 503."""
    coroutine = is_up()
    assert health_response(coroutine).status == 503
    assert coroutine.cr_frame is None  # closed


@pytest.mark.parametrize("accept", ["", "application/json", "text/plain"])
@pytest.mark.parametrize("report", [DEGRADED, DOWN], ids=["degraded", "down"])
def test_secrets_stay_inside(report: HealthReport, accept: str) -> None:
    """By default an answer shows names and statuses only."""
    found = health_response(report, accept=accept)
    assert b"s3cret" not in found.body
    assert b"s3cret" in health_response(report, reveal=True).body


def test_default_body() -> None:
    """The body is ``application/health+json`` with a status for each component."""
    found = health_response(DOWN)
    assert json.loads(found.body) == {
        "status": "fail",
        "checks": {"database": [{"status": "fail"}]},
    }
    assert dict(found.headers) == {
        "content-type": "application/health+json",
        "content-length": str(len(found.body)),
        "cache-control": "no-store",
        "vary": "accept",
    }


def test_full_body_is_that_of_the_report() -> None:
    """Revealed, the body is the report's own ``application/health+json``."""
    found = health_response(DOWN, reveal="full")
    assert json.loads(found.body) == DOWN.to_health_json()


@pytest.mark.parametrize("reveal", [False, True])
def test_native_json_is_a_report(reveal: bool) -> None:
    """As ``application/json`` the body is a report that the model accepts."""
    found = health_response(DOWN, accept="application/json", reveal=reveal)
    report = HealthReport.model_validate_json(found.body)
    assert report.failed_components == ["database"]
    assert ("s3cret" in report.summary) is reveal


def test_one_word() -> None:
    """As ``text/plain``, or with ``reveal='none'``, the body is one word."""
    for options in ({"accept": "text/plain"}, {"reveal": "none"}):
        found = health_response(DEGRADED, **options)  # type: ignore[arg-type]
        assert found.body == b"warn\n"
        assert dict(found.headers)["content-type"] == "text/plain; charset=utf-8"


def test_head_has_the_headers_of_get() -> None:
    """HEAD has the status and the headers of GET, and no body."""
    get, head = (health_response(DOWN, method=it) for it in ("GET", "HEAD"))
    assert head == (get.status, get.headers, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get", ""])
def test_other_methods(method: str) -> None:
    """Other methods are 405 with what is allowed, and run no check."""

    def check() -> None:
        raise AssertionError

    found = health_response(check, method=method)
    assert (found.status, dict(found.headers)["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/health+json"),
        ("*/*", "application/health+json"),
        ("application/*", "application/health+json"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON; charset=utf-8", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/health+json"),
        ("text/plain", "text/plain"),
        ("text/*", "text/plain"),
        ("application/json;q=0.2, text/plain;q=0.9", "text/plain"),
        ("application/health+json;q=0, */*", "application/json"),
        ("application/json;q=0", "application/health+json"),
        ("image/png", "application/health+json"),
        ("text/plain;q=0, image/png", "application/health+json"),
        ("text/plain;q=x, ;;,=;q", "application/health+json"),
        ("\x00", "application/health+json"),
    ],
)
def test_media_type(accept: str, kind: str) -> None:
    """The client's wish decides; where it has none that there is, our own type."""
    assert media_type(accept) == kind


def test_expected_components() -> None:
    """A report without an expected component is unhealthy, and keeps the others."""
    found = health_response(lambda: HEALTHY, expected=["disk"], deadline_s=30)
    assert found.status == 503
    assert json.loads(found.body)["checks"] == {
        "database": [{"status": "pass"}],
        "disk": [{"status": "fail"}],
    }
    assert health_response(HEALTHY, expected=["disk"]).status == 503
    assert health_response(HEALTHY, expected=["database"]).status == 200


def test_changing_details_are_no_500() -> None:
    """Details that cannot be written any more are 503."""
    held: dict[str, Any] = {"a": 1}
    component = ComponentHealth(status="healthy", details=held)
    report = health_report(as_model=True, component_details={"disk": component})
    report.component_details["disk"].details = {"a": object()}  # type: ignore[dict-item]
    from coroguard.health.endpoint import answer

    assert answer(report, "GET", "", "full").status == 503


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"deadline": 1}, "no option 'deadline'.*Did you mean 'deadline_s'"),
        ({"reveal": "everything"}, "reveal='everything' should be True, False"),
        ({"deadline_s": 0}, "deadline_s=0 should be a number above 0"),
        ({"check": {"a": lambda: 1, "b": Checked}}, "'b': Checked is a class"),
    ],
)
def test_wrong_use_is_refused(options: Any, text: str) -> None:
    """A wrong option is refused with the right one."""
    options = {"check": {"a": lambda: None}, **options}
    with pytest.raises(GuardUsageError, match=text):
        health_response(**options)
