"""`health_report` as a dict while real services answer, fail and race."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from rig import COMPONENTS

from coroguard import CoroutineLeakError
from coroguard.demo.error_handler import component_health
from coroguard.gates.ready_made import ChatUser
from coroguard.report import check_report
from coroguard.testing import collide

CHECK = "coroguard.demo.websocket_core:validate_websocket_component_health"
ASKERS = 50
COLLISIONS = 10
SEED = 20250909
PATIENCE_S = 60.0


def ask(user_context=None):
    """The health check's report, read as its callers read it."""
    health_report = component_health(user_context)
    try:
        health_report.get("summary", "Component health check failed")
    except AttributeError as error:
        if inspect.iscoroutine(health_report):
            health_report.close()
        raise AssertionError(f"Real service coroutine error: {error}") from error
    assert type(health_report) is dict
    assert check_report(health_report) == []
    return health_report


def until_in_use(service, count):
    """Ask the service until it has noticed who has left before the test."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        answer = httpx.get(service.url + "/health", trust_env=False, timeout=PATIENCE_S)
        if f'"in_use": {count}' in answer.text or time.monotonic() > ends:
            return answer


def test_real_service_health_validation_dict_return(
    lane, addresses, user_context, gate_record
):
    """Asked of real services, the check returns a dict, here and over HTTP."""
    context = user_context()
    health_report = ask(context)
    details = health_report["component_details"]
    assert health_report["failed_components"] == []
    assert details["user_context"]["details"] == {"user": context.user_id}
    assert details["database"]["details"]["server"].startswith("PostgreSQL ")
    answer = httpx.get(
        lane.service.url + "/health", trust_env=False, timeout=PATIENCE_S
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "pass")
    gate_record.did(scenarios=2)


@pytest.mark.parametrize("component", COMPONENTS)
async def test_exception_handler_with_real_services(
    lane, addresses, gate_record, component
):
    """A service that really fails is named in the frame of its exception handler."""
    async with ChatUser(lane.service) as before:
        with lane.links[component].refusing():
            health_report = await asyncio.to_thread(ask)
            # Keys that the service knows already let a new user in without auth.
            turn = await before.send("anybody?")
        if component == "auth":
            assert turn.ending == "answered", turn.fault(lane.service.script)
        else:
            assert turn.fault(lane.service.script) == "", lane.service.last_error()
            assert turn.frames[-1]["failed_components"] == [component]
        after = await before.send("and now?")
    assert health_report["failed_components"] == [component]
    assert after.ending == "answered"
    gate_record.did(scenarios=1, faults=1)


async def test_websocket_manager_factory_with_real_connections(
    lane, addresses, gate_record
):
    """Each real socket has a manager of its own, and the report counts it."""
    users = [ChatUser(lane.service) for _ in range(5)]
    try:
        firsts = await asyncio.gather(*(user.open() for user in users))
        sockets = {turn.frames[-1]["websocket_client_id"] for turn in firsts}
        health_report = await asyncio.to_thread(ask)
        answer = await asyncio.to_thread(until_in_use, lane.service, len(users))
    finally:
        await asyncio.gather(*(user.leave() for user in users))
    assert len(sockets) == len(users)
    own = health_report["component_details"]["manager_factory"]
    assert (own["status"], own["details"]) == ("healthy", {"in_use": 0})
    assert answer.status_code == 200, answer.text
    assert f'"in_use": {len(users)}' in answer.text
    gate_record.did(scenarios=2)


def test_concurrent_health_validation_race_conditions(
    lane, addresses, user_context, gate_record
):
    """While names and links come and go, no asker of fifty gets a coroutine."""
    chance = random.Random(SEED)
    contexts = [user_context() for _ in range(ASKERS)]

    def race(context):
        try:
            return context, ask(context)
        except CoroutineLeakError as leak:
            return context, leak

    ask(contexts[0])
    with ThreadPoolExecutor(ASKERS) as pool:
        racing = [pool.submit(race, context) for context in contexts]
        for _ in range(COLLISIONS):
            link = lane.links[chance.choice(sorted(COMPONENTS))]
            with collide(CHECK), link.refusing():
                racing += [pool.submit(race, chance.choice(contexts))]
                seen = racing[-1].result()[1]
            assert isinstance(seen, CoroutineLeakError)
            racing += [pool.submit(race, chance.choice(contexts))]
        answers = [future.result() for future in racing]
    reports = [(who, found) for who, found in answers if isinstance(found, dict)]
    mine = [
        found["component_details"]["user_context"]["details"]["user"] == who.user_id
        for who, found in reports
    ]
    assert mine
    assert all(mine)
    assert not any(inspect.isawaitable(found) for _, found in answers)
    gate_record.did(scenarios=len(answers), users=ASKERS)
