"""Calls of health checks, and those who are subscribed to them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from coroguard import Call, Event, GuardUsageError, HealthReport, guard, mode, subscribe
from coroguard._runtime.collector import collect
from coroguard._runtime.hot import HOT

pytestmark = pytest.mark.allow_leaks("*", reason="these tests leak on purpose")

Calls = list[Call]


@pytest.fixture
def calls() -> Iterator[Calls]:
    seen: Calls = []
    unsubscribe = subscribe(seen.append, calls=True)
    yield seen
    unsubscribe()


async def is_connected() -> bool:
    return True


def report(status: str = "healthy") -> dict[str, Any]:
    failed = ["redis"] if status == "failed" else []
    component = {"status": status}
    if status == "failed":
        component["error"] = "it is down"
    return {
        "healthy": not failed,
        "failed_components": failed,
        "component_details": {"redis": component},
        "error_suggestions": ["Start it."] if failed else [],
        "timestamp": datetime.datetime.now(datetime.UTC),
        "summary": "as asked",
    }


def leaky() -> dict[str, Any]:
    found = report()
    found["component_details"]["redis"]["details"] = {"up": is_connected()}
    return found


def wrong() -> dict[str, Any]:
    return {"healthy": "yes"}


def swallowing() -> dict[str, Any]:
    if not is_connected():
        return report("failed")
    return report()


def broken() -> dict[str, Any]:
    raise ConnectionError


OUTCOMES: list[tuple[str, Callable[[], Any], str, bool]] = [
    ("healthy", report, "healthy", True),
    ("degraded", lambda: report("degraded"), "degraded", True),
    ("failed", lambda: report("failed"), "failed", False),
    ("an instance", lambda: HealthReport(**report("failed")), "failed", False),
    ("a leak inside", leaky, "leaked", False),
    ("a leak itself", is_connected, "leaked", False),
    ("a drop", swallowing, "leaked", False),
    ("a wrong shape", wrong, "invalid", False),
    ("an exception", broken, "raised", False),
]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", ["observe", "enforce", "strict"])
@pytest.mark.parametrize(
    ("body", "outcome", "is_healthy"),
    [pytest.param(*it[1:], id=it[0]) for it in OUTCOMES],
)
@pytest.mark.filterwarnings("ignore:coroutine 'is_connected' was never awaited")
def test_a_call_has_its_outcome(
    body: Callable[[], Any],
    outcome: str,
    is_healthy: bool,
    name: Any,
    is_async: bool,
    calls: Calls,
) -> None:
    """Each call of a guarded health check is one record, in every mode."""

    @guard(name="check")
    def check():  # type: ignore[no-untyped-def]
        return body()

    @guard(name="check")
    async def acheck():  # type: ignore[no-untyped-def]
        return body()

    with mode(name), contextlib.suppress(Exception):
        asyncio.run(acheck()) if is_async else check()
    collect()
    (call,) = calls
    assert (call.check, call.outcome, call.is_healthy) == ("check", outcome, is_healthy)
    assert call.duration_ms >= 0
    assert call.at.tzinfo is datetime.UTC


def test_a_promised_coroutine_is_one_call(calls: Calls) -> None:
    """A sync function that returns a promised coroutine is timed until its end."""

    async def inner() -> HealthReport:
        return HealthReport(**report())

    @guard
    def check() -> Awaitable[HealthReport]:
        return inner()

    asyncio.run(check())
    assert [call.outcome for call in calls] == ["healthy"]


def test_a_cancelled_call_is_neither_healthy_nor_not(calls: Calls) -> None:
    """A caller that gives up proves nothing about the health of what is checked."""

    @guard
    async def check() -> HealthReport:
        await asyncio.Event().wait()
        raise AssertionError

    async def give_up() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(check(), 0.01)

    asyncio.run(give_up())
    (call,) = calls
    assert (call.outcome, call.is_healthy) == ("cancelled", None)


def test_other_guards_and_mode_off_make_no_calls(calls: Calls) -> None:
    """Calls are those of health checks, while their guard is on."""

    @guard
    def is_up() -> bool:
        return True

    @guard(returns=Any)
    def anything() -> dict[str, Any]:
        return report()

    is_up()
    anything()
    with mode("off"):
        guard(report)()
    assert calls == []


def test_the_annotation_as_text_makes_a_check(calls: Calls) -> None:
    """A report that the annotation names before the class is known is one too."""

    def check() -> Any:
        return report()

    check.__annotations__["return"] = "LaterReport"
    later = guard(check)
    check.__globals__["LaterReport"] = HealthReport
    try:
        later()
    finally:
        del check.__globals__["LaterReport"]
    assert [call.outcome for call in calls] == ["healthy"]


def test_nobody_listens_and_nothing_is_timed() -> None:
    """With the last subscriber to calls, the timing of calls ends."""
    ends = [subscribe(lambda call: None, calls=True) for _ in range(2)]
    heard = HOT.timed, HOT.check_alert, HOT.alert
    ends[0]()
    ends[0]()
    still = HOT.timed
    ends[1]()
    assert (heard, still, HOT.timed, HOT.check_alert) == (
        (True, True, False),
        True,
        False,
        False,
    )


def test_events_and_calls_are_apart(calls: Calls) -> None:
    """A subscriber to events gets no calls, and the other way round."""
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    with mode("observe"):
        guard(report)()
        guard(wrong)()
    unsubscribe()
    assert [type(it) for it in events] == [Event]
    assert [type(it) for it in calls] == [Call, Call]


def test_a_subscriber_that_checks_health_does_not_loop() -> None:
    """A call that a subscriber makes itself is not delivered."""
    seen: Calls = []
    check = guard(report)

    def again(call: Call) -> None:
        seen.append(call)
        check()

    unsubscribe = subscribe(again, calls=True)
    check()
    unsubscribe()
    assert len(seen) == 1


async def stream(call: Call) -> None: ...


def test_async_subscribers_to_calls_are_refused() -> None:
    """Nobody would await it."""
    with pytest.raises(GuardUsageError, match="does not await stream"):
        subscribe(stream, calls=True)  # type: ignore[arg-type]


def test_a_check_in_a_collection_is_delivered_by_another_thread(calls: Calls) -> None:
    """A subscriber may take a lock that the collector's thread holds already."""
    lock = threading.Lock()
    seen: list[int] = []

    def take_lock(call: Call) -> None:
        with lock:
            seen.append(threading.get_ident())

    check = guard(report)

    class Finalized:
        def __del__(self) -> None:
            check()

    unsubscribe = subscribe(take_lock, calls=True)
    cycle = Finalized()
    cycle.cycle = cycle  # type: ignore[attr-defined]
    del cycle
    collect()
    unsubscribe()
    assert len(seen) == 1
    assert seen != [threading.get_ident()]
