"""Do the ready-made gates judge a service that they know nothing of?"""

from __future__ import annotations

import pytest

from coroguard import guard
from coroguard.gates import GateRecord
from coroguard.gates.config import GateConfig
from coroguard.gates.ready_made import (
    GateFailed,
    chat_flow_gate,
    concurrent_users_gate,
    error_handler_gate,
    health_report_gate,
    readiness_gate,
)


def amounts(record):
    return record.to_json()["amounts"]


async def through(gate, service, record, harm):
    """Send a service through the gate of this name."""
    match gate:
        case "error handler":
            await error_handler_gate(record, (service, [harm]))
        case "chat flow":
            await chat_flow_gate(record, service, outages=[harm])
        case "concurrent users":
            await concurrent_users_gate(record, service, users=20, harms=[harm])


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("error handler", {"scenarios": 1, "faults": 1, "messages": 11, "users": 4}),
        ("chat flow", {"scenarios": 4, "faults": 1, "messages": 8, "users": 1}),
        ("concurrent users", {"faults": 3, "messages": 60, "users": 20}),
    ],
)
async def test_a_sound_service_passes(stranger, served, gate, expected):
    """A service without a flaw passes, and the gate says how much it did."""
    sound, record = stranger(None), GateRecord()
    with served(sound) as service:
        await through(gate, service, record, sound.harm)
    assert amounts(record) == expected


@pytest.mark.parametrize(
    ("gate", "flaw", "words"),
    [
        ("error handler", "hangs", "the handler hangs"),
        ("error handler", "crashes", "the connection broke"),
        ("error handler", "unstructured", "an error frame without message"),
        ("error handler", "traceback", "a traceback was sent"),
        ("error handler", "leaks", "a coroutine attribution error was sent"),
        ("chat flow", "open door", "without a token: somebody was let in"),
        ("chat flow", "out of order", "the events are"),
        ("chat flow", "lost", "the history is"),
        ("concurrent users", "lost", "lost: "),
        ("concurrent users", "doubled", "doubled: "),
        ("concurrent users", "crossed", "lost: |another user's"),
        ("concurrent users", "out of order", "the events are"),
    ],
)
async def test_a_flaw_turns_its_gate_red(stranger, served, gate, flaw, words):
    """A service with a flaw fails at the gate that is there for it, with its name."""
    flawed = stranger(flaw)
    with served(flawed) as service, pytest.raises(GateFailed, match=words):
        await through(gate, service, GateRecord(), flawed.harm)


def test_a_check_without_a_flaw_passes(stranger):
    """The health gate goes through every scenario in every combination of outages."""
    sound, record = stranger(None), GateRecord()
    health_report_gate(
        record,
        guard(sound.check),
        scenarios={"no user": (), "user": ("ada",)},
        outages={"database": sound.harm.during},
        users=10,
    )
    assert amounts(record) == {"scenarios": 14, "faults": 1, "users": 10}


def test_a_check_that_does_not_look_is_seen(stranger):
    """A report that is silent about what is down fails, however well-formed it is."""
    blind = stranger("blind")
    with pytest.raises(GateFailed, match=r"nothing failed, not \['database'\]"):
        health_report_gate(
            GateRecord(),
            guard(blind.check),
            scenarios={"anybody": ()},
            outages={"database": blind.harm.during},
        )


def test_an_unguarded_check_that_became_a_coroutine_is_seen():
    """A coroutine instead of a report fails in the seed's words."""

    async def check():
        return {}

    with pytest.raises(GateFailed, match="health_report is <class 'coroutine'>, not"):
        health_report_gate(GateRecord(), check, scenarios={"anybody": ()}, users=1)


def test_readiness_names_every_gate_that_is_not_green():
    """The summary tells rule, impact and what is blocked; not run is not green."""
    gates = {
        "one": GateConfig(rule="never a coroutine", impact="all is lost"),
        "two": GateConfig(rule="answers", impact="nobody hears"),
    }
    with pytest.raises(GateFailed) as red:
        readiness_gate(GateRecord(), gates, {"one": "FLAKY"})
    text = str(red.value)
    assert "one: FLAKY; RULE: never a coroutine; FAILURE IMPACT: all is lost" in text
    assert "two: NOT_RUN" in text
    assert text.count("BLOCKS DEPLOYMENT: Yes") == 2


def test_readiness_is_green_only_when_every_gate_is():
    """PASSED and WAIVED, and nothing else, make a deployment ready."""
    record = GateRecord()
    verdicts = {"one": "PASSED", "two": "WAIVED"}
    readiness_gate(record, dict.fromkeys(verdicts, GateConfig()), verdicts)
    assert amounts(record) == {"scenarios": 2}
