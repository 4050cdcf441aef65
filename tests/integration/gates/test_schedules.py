"""Schedules as evidence of a gate, and a race that only they find."""

from __future__ import annotations

import pytest

from coroguard.gates.readiness import ExitCode

CONFIG = """
[tool.coroguard]
self_test = {{ "lost update" = ["bank"] }}
[tool.coroguard.gates.bank]
minimum = {{ schedules = {least} }}
"""
TESTS = """
import asyncio, contextlib, os, pytest
planted = os.environ.get("COROGUARD_PLANT")

async def deposit(account, distance, lock):
    for _ in range(distance):
        await asyncio.sleep(0)
    async with lock:
        balance = account["balance"]
        await asyncio.sleep(0)
        account["balance"] = balance + 1

async def both():
    account = {"balance": 0}
    lock = contextlib.nullcontext() if planted else asyncio.Lock()
    await asyncio.gather(deposit(account, 0, lock), deposit(account, 4, lock))
    assert account["balance"] == 2

async def one_order():
    await asyncio.sleep(0)
"""
MARKED = """
@pytest.mark.gate("bank")
@pytest.mark.schedules(runs={runs})
def test_bank():
    asyncio.run({function}())
"""


@pytest.fixture
def bank(project):
    """A project with one gate, whose test explores schedules."""

    def set_up(*, runs: int, least: int, function: str = "both"):
        project.write("pyproject.toml", CONFIG.format(least=least))
        test = MARKED.format(runs=runs, function=function)
        project.write("tests/test_chat.py", TESTS + test)
        return project

    return set_up


def test_only_schedules_see_the_race(bank):
    """The planted race turns the gate red, and without schedules it does not."""
    ran = bank(runs=100, least=10).gate("--self-test")
    assert (ran.code, ran.report["self_test"]["ok"]) == (ExitCode.READY, True)
    (gate,) = ran.report["gates"]
    assert gate["amounts"]["schedules"]["done"] >= 10
    blind = bank(runs=1, least=0).gate("--self-test")
    assert "'lost update' fooled 'bank', which was PASSED" in blind.out


@pytest.mark.parametrize(
    ("runs", "function"),
    [(3, "both"), (40, "one_order")],
    ids=["too few", "all of them the same"],
)
def test_too_few_schedules_leave_the_gate_incomplete(bank, runs, function):
    """Only schedules that differ from each other are evidence."""
    ran = bank(runs=runs, least=10, function=function).gate()
    assert ran.code == ExitCode.INCOMPLETE
    assert "schedules" in ran.out
