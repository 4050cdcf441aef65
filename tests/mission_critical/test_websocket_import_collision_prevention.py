"""The five deployment gates of the chat service."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from rig import COMPONENTS

from coroguard.demo import manager_factory
from coroguard.demo.error_handler import component_health
from coroguard.gates.config import load
from coroguard.gates.faults import Latency, ResetPeer
from coroguard.gates.ready_made import (
    Harm,
    chat_flow_gate,
    concurrent_users_gate,
    error_handler_gate,
    harms_of_link,
    harms_of_server,
    health_report_gate,
    readiness_gate,
)

CHECK = "coroguard.demo.websocket_core:validate_websocket_component_health"
ROOT = Path(__file__).parents[2]
# Seconds that a component may take. Short where silence is waited for; long where two
# hundred users share two processors, and slow is not yet broken.
STRICT_S, CROWDED_S = 0.8, 5.0
USERS = int(os.environ.get("COROGUARD_USERS") or 200)
SEED = int(os.environ.get("COROGUARD_SEED") or 20250909)
GATES = ("health report", "error handler", "chat flow", "concurrent users")
# Auth is asked when somebody connects, the others with every message.
STRIKES = {"auth": "connect"}


@pytest.fixture
def outages(addresses, monkeypatch):
    """Each component of the report, and how it is made to fail."""

    @contextmanager
    def wrong_limit():
        with monkeypatch.context() as patch:
            patch.setenv("CHAT_DEADLINE_S", "soon")
            yield

    @contextmanager
    def full_factory():
        with monkeypatch.context() as patch:
            patch.setattr(manager_factory.factory, "_capacity", 0)
            yield

    links = {name: link.refusing for name, link in addresses.items()}
    return {**links, "environment": wrong_limit, "manager_factory": full_factory}


@pytest.mark.gate("health report", blocks_deployment=True)
def test_mission_critical_health_report_dict_guarantee(
    gate_record, rig, outages, user_context
):
    """The health check returns a report, whatever is down and for any caller."""
    rig.add_services(gate_record)
    health_report_gate(
        gate_record,
        component_health,
        scenarios={"no user": (None,), "user": (user_context(),)},
        outages=outages,
        collides_at=CHECK,
        seed=SEED,
    )


@pytest.mark.gate("error handler", blocks_deployment=True)
async def test_mission_critical_websocket_error_handler_resilience(gate_record, rig):
    """Every client hears in time of a component that fails, and lives on."""
    rig.add_services(gate_record)
    rig.spawn(*COMPONENTS, deadline_s=STRICT_S)
    trials = [
        (rig.lane(name).service, _harms_of_link(rig, name)) for name in COMPONENTS
    ]
    await error_handler_gate(gate_record, *trials)
    harms = [
        harm
        for name, server in rig.servers.items()
        for harm in harms_of_server(name, server, strikes=STRIKES.get(name, "message"))
    ]
    await error_handler_gate(gate_record, (rig.lane("auth").service, harms))


@pytest.mark.gate("chat flow", blocks_deployment=True)
async def test_mission_critical_end_to_end_chat_flow(gate_record, rig):
    """A conversation works from the token to the history, through an outage too."""
    rig.add_services(gate_record)
    rig.spawn("crowd", deadline_s=CROWDED_S)
    lane = rig.lane("crowd")
    links = (lane.links["database"], lane.links["redis"])
    outages = [Harm("refused", link.down, link.up) for link in links]
    await chat_flow_gate(gate_record, lane.service, outages=outages)


@pytest.mark.gate("concurrent users", blocks_deployment=True)
async def test_mission_critical_concurrent_user_protection(gate_record, rig):
    """Two hundred users at once get all their own answers, and only those."""
    rig.add_services(gate_record)
    rig.spawn("crowd", deadline_s=CROWDED_S)
    lane = rig.lane("crowd")
    await concurrent_users_gate(
        gate_record,
        lane.service,
        users=USERS,
        harms=_mixed_harms(lane.links["database"], lane.links["redis"]),
        seed=SEED,
    )


@pytest.mark.gate("readiness", blocks_deployment=True)
def test_mission_critical_deployment_readiness_summary(gate_record, verdicts):
    """Every other gate was judged in this run, and is green."""
    gates = load(ROOT).gates
    readiness_gate(gate_record, {name: gates[name] for name in GATES}, verdicts)


def _harms_of_link(rig, name):
    strikes = STRIKES.get(name, "message")
    link = rig.lane(name).links[name]
    return harms_of_link(name, link, slow_ms=3000 * STRICT_S, strikes=strikes)


def _mixed_harms(database, redis):
    def poison(name, link, toxic):
        return Harm(name, lambda: link.add(toxic), link.heal)

    return [
        Harm("database refused", database.down, database.up),
        poison("redis reset", redis, ResetPeer()),
        poison("database slow", database, Latency(50)),
        poison("redis slow", redis, Latency(50)),
        Harm("redis refused", redis.down, redis.up),
        poison("database reset", database, ResetPeer()),
    ]
