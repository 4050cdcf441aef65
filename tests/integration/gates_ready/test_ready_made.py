"""The ready-made gates judge a service that they know nothing of."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from coroguard import GuardUsageError, guard
from coroguard.gates import GateRecord
from coroguard.gates.config import GateConfig
from coroguard.gates.ready_made import (
    ClientService,
    GateFailed,
    Harm,
    Refused,
    chat_flow_gate,
    concurrent_users_gate,
    error_handler_gate,
    health_report_gate,
    readiness_gate,
)

NOTHING = Harm("nothing", begin=lambda: None, end=lambda: None)


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
    """A service without a flaw passes, and the gate records how much it did."""
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


REPORT = {
    "healthy": True,
    "failed_components": [],
    "component_details": {"db": {"status": "healthy"}},
    "error_suggestions": [],
    "summary": "well",
}


@pytest.mark.parametrize("in_a_loop", [False, True])
def test_an_async_check_is_judged_by_what_it_returns(in_a_loop):
    """A correct async check passes, in a sync and in an async test."""

    @guard
    async def check(*_args):
        await asyncio.sleep(0)
        return {**REPORT, "timestamp": datetime.now(UTC)}

    record = GateRecord()

    def gate():
        health_report_gate(record, check, scenarios={"anybody": ()}, users=5)

    async def gate_in_a_loop():
        gate()

    asyncio.run(gate_in_a_loop()) if in_a_loop else gate()
    assert amounts(record) == {"scenarios": 6, "users": 5}


def test_an_async_check_that_leaks_is_seen():
    """An async check that returns a coroutine instead of a report fails."""

    async def check():
        return probe()

    async def probe():
        return REPORT

    with pytest.raises(GateFailed, match="health_report is <class 'coroutine'>, not"):
        health_report_gate(
            GateRecord(), check, scenarios={"anybody": ()}, users=1, awaited=True
        )


def test_callers_that_do_not_await_are_believed():
    """A guarded check that became async is a leak where its callers are sync."""

    @guard
    async def check():
        return {**REPORT, "timestamp": datetime.now(UTC)}

    with pytest.raises(GateFailed, match="health_report is <class 'coroutine'>, not"):
        health_report_gate(
            GateRecord(), check, scenarios={"anybody": ()}, users=1, awaited=False
        )


@pytest.mark.parametrize(
    "gate",
    [
        lambda service: error_handler_gate(GateRecord()),
        lambda service: error_handler_gate(GateRecord(), (service, [])),
        lambda service: error_handler_gate(
            GateRecord(), (service, [NOTHING]), victims=0
        ),
        lambda service: chat_flow_gate(GateRecord(), service, turns=0),
        lambda service: concurrent_users_gate(GateRecord(), service, users=0),
        lambda service: concurrent_users_gate(GateRecord(), service, turns=0),
    ],
    ids=["no trial", "no harm", "no victim", "no turn", "no user", "no turns"],
)
async def test_nothing_to_do_is_refused(stranger, served, gate):
    """A gate that is given nothing to do is an error, not a success."""
    with served(stranger(None)) as service, pytest.raises(GuardUsageError):
        await gate(service)


@pytest.mark.parametrize(
    "gate",
    [
        lambda: health_report_gate(GateRecord(), dict, scenarios={}),
        lambda: health_report_gate(GateRecord(), dict, scenarios={"a": ()}, users=0),
        lambda: readiness_gate(GateRecord(), {}),
    ],
    ids=["no scenario", "no user", "no gate"],
)
def test_nothing_to_judge_is_refused(gate):
    """A gate that is given nothing to judge is an error, not a success."""
    with pytest.raises(GuardUsageError):
        gate()


async def test_a_harm_that_nobody_noticed_is_no_evidence(stranger, served):
    """A fault that did no harm is not counted, and the gate reports it."""
    record = GateRecord()
    with served(stranger(None)) as service, pytest.raises(GateFailed, match="noticed"):
        await error_handler_gate(record, (service, [NOTHING]))
    assert amounts(record)["faults"] == 0


async def test_a_harm_seen_beside_the_handler_counts(stranger, served):
    """A service that goes on without a component passes where the harm was seen."""
    record = GateRecord()
    harm = replace(NOTHING, felt=lambda: True)
    with served(stranger(None)) as service:
        await error_handler_gate(record, (service, [harm]))
    assert amounts(record)["faults"] == 1


class OwnClient:
    """A service without any protocol, and its client: two functions."""

    def __init__(self, flaw=None):
        self.flaw, self.is_up, self.kept = flaw, True, {}
        self.harm = Harm("database down", self.switch, self.switch)
        self.service = ClientService(
            ask=self.ask,
            remembered=self.remembered,
            deadline_s=0.3,
            slack_s=0.7 if flaw == "hangs" else 60.0,
        )

    def switch(self):
        self.is_up = not self.is_up

    async def ask(self, user, text, message_id):
        await asyncio.sleep(0)
        if not self.is_up:
            if self.flaw == "hangs":
                await asyncio.sleep(60)
            if self.flaw == "crashes":
                raise ConnectionResetError("gone")
            raise Refused("the database is down")
        if self.flaw != "lost":
            self.kept.setdefault(user, {})[message_id] = text
        return f"You sent {text}"

    async def remembered(self, user):
        return list(self.kept.get(user, {}).values())


@pytest.mark.parametrize("gate", ["error handler", "chat flow", "concurrent users"])
async def test_a_service_with_a_client_of_its_own_passes(gate):
    """The gates need nothing of a protocol but a few lines of client code."""
    own, record = OwnClient(), GateRecord()
    await through(gate, own.service, record, own.harm)
    assert amounts(record)["faults"] >= 1


@pytest.mark.parametrize(
    ("gate", "flaw", "words"),
    [
        ("error handler", "hangs", "the handler hangs"),
        ("error handler", "crashes", "the connection broke"),
        ("chat flow", "lost", "the history is"),
        ("concurrent users", "lost", "lost: "),
    ],
)
async def test_a_flaw_behind_an_own_client_is_seen(gate, flaw, words):
    """A service with a flaw fails at its gate, whatever its protocol."""
    own = OwnClient(flaw)
    with pytest.raises(GateFailed, match=words):
        await through(gate, own.service, GateRecord(), own.harm)


def test_readiness_names_every_gate_that_is_not_green():
    """The summary names rule, impact and what is blocked; not run is not green."""
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
