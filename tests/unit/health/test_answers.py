"""Components of a report, as the answers of checks make them."""

from __future__ import annotations

import functools
import logging
from collections import OrderedDict
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from coroguard import ComponentHealth, GuardUsageError, HealthReport
from coroguard.health import Checked, acollect, collect
from coroguard.testing import health_report


async def component(answer: Any, **options: Any) -> ComponentHealth:
    found = await acollect({"it": Checked(lambda: answer, **options)}, deadline_s=30)
    assert HealthReport.model_validate(found) == found
    return found.component_details["it"]


@pytest.mark.parametrize(
    ("answer", "status", "details"),
    [
        (None, "healthy", None),
        (True, "healthy", None),
        (False, "failed", None),
        ({}, "healthy", {}),
        ({"version": 15}, "healthy", {"version": 15}),
        (OrderedDict(a=1), "healthy", {"a": 1}),
        (MappingProxyType({"a": [1, "b"]}), "healthy", {"a": [1, "b"]}),
        ({"healthy": True, "details": 1}, "healthy", 1),
        ({"healthy": False}, "failed", None),
        ({"status": "degraded"}, "degraded", None),
        ({"status": "failed", "details": {"a": 1}}, "failed", {"a": 1}),
        (ComponentHealth(status="degraded", details="slow"), "degraded", "slow"),
        (health_report(), "healthy", None),
        (health_report(failed_components=["disk"]), "failed", None),
        (health_report(as_model=True), "healthy", None),
        (health_report(as_model=True, failed_components=["disk"]), "failed", None),
    ],
)
async def test_right_answer(answer: Any, status: str, details: Any) -> None:
    """Each right answer makes a component with its status and details."""
    found = await component(answer)
    assert (found.status, found.details) == (status, details)
    assert found.duration_ms is not None


@dataclass
class Answer:
    healthy: bool = True


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("OK", "type str"),
        (1, "type int"),
        (0, "type int"),
        ((False, "down"), "type tuple"),
        ([], "type list"),
        (Answer(), "type Answer"),
        (object(), "type object"),
        ({"status": "red"}, "'status' should be one of healthy, degraded, failed"),
        ({"status": True}, "'status' should be one of"),
        ({"healthy": "yes"}, "'healthy' is neither True nor False"),
        ({"healthy": False, "status": "healthy"}, "disagree"),
        ({"a": object()}, "details.a should be a JSON value, got object"),
        ({"a": float("nan")}, "details.a should be a finite number"),
        ({1: 2}, "should be a str as key"),
        ({"status": "healthy", "error": 3}, "a component of the wrong shape"),
        (health_report(healthy="yes"), "a report of the wrong shape"),
    ],
)
async def test_wrong_answer(answer: Any, why: str) -> None:
    """An answer of another type fails the component, and names no value."""
    found = await component(answer)
    assert (found.status, found.error_code) == ("failed", "WRONG_ANSWER")
    assert why in (found.error or "")


async def test_a_components_own_duration_stays() -> None:
    """A duration that the check measured is not replaced."""
    found = await component(ComponentHealth(status="healthy", duration_ms=1.5))
    assert found.duration_ms == 1.5


async def test_fields_of_a_component_stay() -> None:
    """Extra fields and errors of a component are those of the report."""
    answer = ComponentHealth(status="failed", error="no disk", node="b7")  # type: ignore[call-arg]
    found = await component(answer)
    assert (found.error, found["node"]) == ("no disk", "b7")


async def test_an_exception_shows_its_type_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The message of an exception is in the log, and not in the report."""

    def check() -> None:
        raise ConnectionRefusedError("postgres://user:secret@host")

    with caplog.at_level(logging.WARNING, "coroguard.health"):
        found = await acollect({"database": check}, deadline_s=30)
    details = found.component_details["database"]
    assert (details.error, details.error_code) == (
        "ConnectionRefusedError",
        "CHECK_RAISED",
    )
    assert "secret" not in found.model_dump_json()
    assert "secret" in caplog.text


async def test_a_lasting_failure_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A component is logged when it fails and when it recovers, and not between."""
    answers = iter([OSError("a"), OSError("b"), False, False, True, True])

    def check() -> object:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with caplog.at_level(logging.INFO, "coroguard.health"):
        for _ in range(6):
            await acollect({"disk": check}, deadline_s=30)
    assert [record.getMessage() for record in caplog.records] == [
        "the check of disk raised OSError",
        "disk failed: the check returned False",
        "disk is healthy again",
    ]


@pytest.mark.parametrize("error", [SystemExit(3), KeyError("x"), BaseException()])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_no_exception_of_a_check_gets_out(
    error: BaseException, is_async: bool
) -> None:
    """Whatever a check raises, the report comes; nothing ends the service."""

    def check() -> None:
        raise error

    async def acheck() -> None:
        raise error

    found = await acollect({"it": acheck if is_async else check}, deadline_s=30)
    assert found.component_details["it"].error == type(error).__name__


async def test_optional_component_degrades() -> None:
    """Where an optional check fails, the report is healthy and the answer warns."""
    found = await acollect(
        {"mail": Checked(lambda: False, optional=True), "disk": lambda: None},
        deadline_s=30,
    )
    assert found.healthy
    assert found.component_details["mail"].status == "degraded"
    assert found.to_health_json()["status"] == "warn"
    assert found.summary == "1 of 2 components are healthy; degraded: mail"


async def test_no_checks_are_unhealthy() -> None:
    """A report about nothing is not a healthy one."""
    found = await acollect({})
    assert (found.healthy, found.http_status) == (False, 503)


async def test_missing_check_fails() -> None:
    """A name that is expected and not checked is a failed component."""
    found = await acollect({"disk": lambda: None}, expected=["disk", "mail"])
    assert found.failed_components == ["mail"]
    assert found.component_details["mail"].error_code == "CHECK_MISSING"


async def test_failed_components_are_named() -> None:
    """The summary counts, and the suggestions name the components."""
    found = await acollect(
        {"a": lambda: None, "b": lambda: "OK", "c": lambda: False}, deadline_s=30
    )
    assert found.summary == "2 of 3 components failed: b, c"
    assert found.error_suggestions == [
        "b: return True, False, None, a dict of details or a ComponentHealth"
    ]


def test_sync_form_gives_the_same_report() -> None:
    """``collect`` runs sync and async checks and gives the report of ``acollect``."""

    async def check() -> dict[str, int]:
        return {"a": 1}

    found = collect({"async": check, "sync": lambda: {"b": 2}}, deadline_s=30)
    details = {name: it.details for name, it in found.component_details.items()}
    assert (found.healthy, details) == (True, {"async": {"a": 1}, "sync": {"b": 2}})


class Client:
    async def ping(self) -> bool:
        return True

    async def __call__(self) -> bool:
        return True


async def ping(client: Client, _timeout: int = 3) -> bool:
    return await client.ping()


@pytest.mark.parametrize(
    "check",
    [
        Client().ping,
        Client(),
        functools.partial(ping, Client()),
        functools.partial(functools.partial(ping, Client()), _timeout=1),
    ],
    ids=["method", "object", "partial", "partial of a partial"],
)
async def test_async_checks_of_every_kind_are_awaited(check: Any) -> None:
    """A method, a callable object and a partial of an async function are awaited."""
    found = await acollect({"it": check}, deadline_s=30)
    assert found.healthy


async def test_promised_coroutine_is_awaited() -> None:
    """A plain decorator over an async function is a right check."""

    def retried(function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any) -> Any:
            return function(*args)

        return call

    @retried
    async def check() -> dict[str, int]:
        return {"a": 1}

    found = await acollect({"it": check}, deadline_s=30)
    assert found.component_details["it"].details == {"a": 1}


async def _check() -> None: ...


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (lambda: {"db": 3}, r"component 'db': 3 cannot be called; give a function"),
        (lambda: {"db": _check()}, r"a coroutine is not a check; give _check itself"),
        (lambda: {"db": Client}, r"Client is a class; give a function"),
        (lambda: {"": _check}, r"needs a name for each component, not ''"),
        (lambda: {3: _check}, r"needs a name for each component, not 3"),
        (lambda: [("a", _check), ("a", _check)], r"two checks of the name 'a'"),
        (lambda: [_check], r"takes checks by name"),
        (lambda: _check, r"takes checks by name"),
        (lambda: None, r"takes checks by name"),
        (lambda: "db", r"takes checks by name"),
    ],
)
async def test_what_is_not_a_check_is_refused(given: Any, text: str) -> None:
    """What cannot be a check is refused with what to give instead."""
    checks = given()
    with pytest.raises(GuardUsageError, match=text):
        await acollect(checks)


@pytest.mark.parametrize("deadline_s", [0, -1, "1", None, True, float("nan")])
async def test_wrong_deadline_is_refused(deadline_s: Any) -> None:
    """A deadline is a finite number above zero."""
    with pytest.raises(GuardUsageError, match="deadline_s="):
        await acollect({"a": _check}, deadline_s=deadline_s)
    with pytest.raises(GuardUsageError, match="deadline_s="):
        collect({"a": _check}, deadline_s=deadline_s)


async def test_unknown_option_is_refused() -> None:
    """A misspelled option is refused with the nearest right name."""
    unknown: Any = {"deadlin_s": 1}
    text = "no option 'deadlin_s'.*Did you mean 'deadline_s'"
    for call in (acollect, collect, Checked):
        with pytest.raises(GuardUsageError, match=text):
            await call({"a": _check} if call is not Checked else _check, **unknown)


async def test_expected_is_a_list() -> None:
    """One name in the place of a list is refused."""
    with pytest.raises(GuardUsageError, match="expected='disk' should be a list"):
        await acollect({}, expected="disk")


def test_options_show() -> None:
    """The repr of a check with options names the function and the options."""
    shown = repr(Checked(_check, optional=True, deadline_s=0.3))
    assert shown == "Checked(_check, optional=True, deadline_s=0.3)"
