"""An endpoint runs its checks once for all probes that come at the same time."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from coroguard import GuardUsageError
from coroguard.health import HealthChecks, shared
from coroguard.health import loop as loop_of_checks
from coroguard.health.endpoint import Endpoint

from .conftest import PATIENCE_S, wait_until

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


class Counted:
    """A check that counts its runs, and ends when it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.go_on = asyncio.Event()
        self.answer: object = True

    async def __call__(self) -> object:
        self.runs += 1
        await self.go_on.wait()
        return self.answer


def get(endpoint: Endpoint, request: object = None) -> Any:
    return endpoint.arespond(request, "GET", "")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock of the memory, which a test moves."""

    class Clock:
        now = 1_000.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(shared, "time", made)
    return made


async def test_many_probes_are_one_run() -> None:
    """500 probes at the same time run the checks once."""
    check = Counted()
    endpoint = Endpoint({"it": check}, deadline_s=30)
    probes = [asyncio.create_task(get(endpoint)) for _ in range(500)]
    while not check.runs:
        await asyncio.sleep(0)
    check.go_on.set()
    assert {it.status for it in await asyncio.gather(*probes)} == {200}
    assert check.runs == 1


async def test_waiter_that_disconnects_does_not_end_the_run() -> None:
    """Probes that are cancelled, the first one too, take nothing from the others."""
    check = Counted()
    endpoint = Endpoint({"it": check}, deadline_s=30)
    probes = [asyncio.create_task(get(endpoint)) for _ in range(3)]
    while not check.runs:
        await asyncio.sleep(0)
    probes[0].cancel()
    probes[2].cancel()
    await asyncio.wait([probes[0], probes[2]])
    check.go_on.set()
    assert (await probes[1]).status == 200


async def test_run_goes_on_when_all_have_gone(clock: Any) -> None:
    """A run that nobody waits for any more is remembered for the next probe."""
    check = Counted()
    endpoint = Endpoint({"it": check}, deadline_s=30)
    probe = asyncio.create_task(get(endpoint))
    while not check.runs:
        await asyncio.sleep(0)
    probe.cancel()
    await asyncio.wait([probe])
    check.go_on.set()
    assert (await get(endpoint)).status == 200
    assert check.runs == 1


async def test_report_is_remembered_for_a_second(clock: Any) -> None:
    """Probes of one second share a run; later ones run the checks again."""
    check = Counted()
    check.go_on.set()
    endpoint = Endpoint({"it": check}, deadline_s=30)
    for now, runs in ((0.0, 1), (0.99, 1), (1.0, 2), (1.5, 2), (2.0, 3)):
        clock.now = 1_000 + now
        await get(endpoint)
        assert check.runs == runs


async def test_no_memory(clock: Any) -> None:
    """With ``memory_s=0`` each probe that comes later runs the checks."""
    check = Counted()
    check.go_on.set()
    endpoint = Endpoint({"it": check}, deadline_s=30, memory_s=0)
    await get(endpoint)
    await get(endpoint)
    assert check.runs == 2


def test_each_loop_has_its_own_run() -> None:
    """A run belongs to the loop of its probe; another loop does not wait for it."""
    meeting = threading.Barrier(2, timeout=PATIENCE_S)

    async def check() -> None:
        await asyncio.to_thread(meeting.wait)  # both runs are under way

    endpoint = Endpoint({"it": check}, deadline_s=PATIENCE_S)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: asyncio.run(get(endpoint)), range(2)))
    assert [it.status for it in found] == [200, 200]


def test_sync_probes_are_one_run(clock: Any) -> None:
    """Threads that probe at the same time share a run."""
    runs = []
    go_on = threading.Event()

    def check() -> None:
        runs.append(1)
        go_on.wait(PATIENCE_S)

    endpoint = Endpoint({"it": check}, deadline_s=PATIENCE_S)
    with ThreadPoolExecutor(8) as pool:
        probes = [pool.submit(endpoint.respond, None, "GET", "") for _ in range(8)]
        wait_until(lambda: bool(runs))
        go_on.set()
        assert {it.result().status for it in probes} == {200}
    assert len(runs) == 1


def test_blocked_loop_is_answered(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync probe is answered although an async check blocks the loop."""
    monkeypatch.setattr(loop_of_checks, "GRACE_S", 0.02)

    async def check() -> None:
        release.wait(PATIENCE_S)

    endpoint = Endpoint({"it": check}, deadline_s=0.02)
    assert endpoint.respond(None, "GET", "").status == 503


async def test_leak_in_a_report_function_is_503() -> None:
    """A function that returns a right report and leaves a coroutine behind is 503."""
    from coroguard.testing import health_report

    async def is_up() -> bool:
        return True

    def check() -> Any:
        return health_report() if is_up() else None

    found = await get(Endpoint(check, deadline_s=30))
    assert found.status == 503


async def test_deadline_of_a_report_function(release: threading.Event) -> None:
    """A function that returns a whole report is given up, too."""
    endpoint = Endpoint(lambda: release.wait(PATIENCE_S), deadline_s=0.01)
    assert (await get(endpoint)).status == 503


async def test_liveness_touches_nothing() -> None:
    """A liveness probe answers without checks, and takes none."""
    found = await get(Endpoint(probe="liveness"))
    assert (found.status, found.body) == (200, b'{"status": "pass", "checks": {}}')
    with pytest.raises(GuardUsageError, match="a liveness probe touches no dependency"):
        Endpoint({"it": lambda: True}, probe="liveness")


async def test_startup_is_asked_until_it_was_healthy(clock: Any) -> None:
    """A startup probe runs its checks until they were healthy once."""
    check = Counted()
    check.go_on.set()
    check.answer = False
    endpoint = Endpoint({"it": check}, probe="startup", memory_s=0, deadline_s=30)
    assert (await get(endpoint)).status == 503
    check.answer = True
    assert (await get(endpoint)).status == 200
    check.answer = False
    assert (await get(endpoint)).status == 200
    assert endpoint.respond(None, "GET", "").status == 200
    assert check.runs == 2


async def is_admin(request: object) -> bool:
    return request == "admin"


@pytest.mark.parametrize(
    ("reveal", "shows"),
    [
        (lambda request: request == "admin", True),
        (lambda request: "full", True),
        (lambda request: "status", False),
        (is_admin, True),
        (lambda request: is_admin(request), True),
        (lambda request: 1, False),
        (lambda request: "everything", False),
        (lambda request: 1 / 0, False),
        (lambda request: [True], False),
    ],
)
async def test_reveal_decides_from_the_request(reveal: Any, shows: bool) -> None:
    """A function sees the request; what it does not plainly allow stays inside."""
    endpoint = Endpoint({"it": lambda: {"k": "s3cret"}}, reveal=reveal, deadline_s=30)
    assert (b"s3cret" in (await get(endpoint, "admin")).body) is shows
    if reveal is is_admin:
        assert b"s3cret" not in (await get(endpoint, "somebody")).body


def test_leaking_reveal_reveals_nothing() -> None:
    """In a sync adapter, a coroutine is not a yes."""
    options: Any = {"takes_async": False, "deadline_s": 30}
    endpoint = Endpoint(
        {"it": lambda: {"k": "s3cret"}}, reveal=lambda it: is_admin(it), **options
    )
    assert b"s3cret" not in endpoint.respond("admin", "GET", "").body
    with pytest.raises(GuardUsageError, match="is async"):
        Endpoint({"it": lambda: True}, reveal=is_admin, **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"check": None}, "HealthEndpoint takes checks by name"),
        ({"check": 3}, "HealthEndpoint takes checks by name"),
        ({"check": is_admin(1)}, "a coroutine is not a check; give is_admin itself"),
        (
            {"probe": "live"},
            "probe='live' should be one of readiness, liveness",
        ),
        ({"memory_s": -1}, "memory_s=-1 should be 0 or more"),
        ({"reveal": 3}, "reveal=3 should be True, False"),
        ({"remember_s": 3}, "no option 'remember_s'"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_wrong_use_is_refused(options: Any, text: str) -> None:
    """A wrong option is refused where the endpoint is made, not at a probe."""
    options = {"check": {"it": lambda: True}, **options}
    with pytest.raises(GuardUsageError, match=text):
        Endpoint(**options)


async def test_checks_are_shared_without_an_endpoint(clock: Any) -> None:
    """``HealthChecks`` shares a run and remembers its report, in both colours."""
    check = Counted()
    check.go_on.set()
    health = HealthChecks({"it": check}, deadline_s=30)
    assert await health.acollect() is health.collect()
    endpoint = Endpoint(health, probe="startup")
    assert (await get(endpoint)).status == 200
    assert check.runs == 1
    with pytest.raises(GuardUsageError, match="HealthChecks has no option 'probe'"):
        HealthChecks({"it": check}, probe="startup")  # type: ignore[arg-type]
