"""Tests that run by many schedules, under each way to run async tests."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

RACE = """
from pathlib import Path

async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)

async def deposit(account, distance, lock=None):
    await turns(distance)
    async with lock or asyncio.Lock():
        balance = account["balance"]
        await turns(1)
        account["balance"] = balance + 1

async def both(account, lock=None):
    await asyncio.gather(deposit(account, 0, lock), deposit(account, 4, lock))
    assert account["balance"] == 2

@pytest.fixture
def account():
    with Path("runs.txt").open("a") as file:
        file.write("run\\n")
    yield {"balance": 0}
"""
PYTEST_ASYNCIO = """
import pytest_asyncio
pytestmark = pytest.mark.asyncio

@pytest_asyncio.fixture
async def opened(account):
    await turns(2)
    yield account
    await turns(2)

@pytest.mark.schedules(runs=200)
async def test_race(opened):
    await both(opened)

@pytest.mark.schedules(runs=20)
async def test_right(opened):
    await both(opened, asyncio.Lock())

@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.schedules(runs=200)
async def test_race_on_a_wider_loop(account):
    await both(account)
"""
ANYIO = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.schedules(runs=200)
async def test_race(account):
    await both(account)

@pytest.mark.schedules(runs=20)
async def test_right(account):
    await both(account, asyncio.Lock())
"""
UNITTEST = """
import unittest
from coroguard.testing import GuardedAsyncTestCase

class Plain(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.account = {"balance": 0}

    @pytest.mark.schedules(runs=200)
    async def test_race(self):
        await both(self.account)

    @pytest.mark.schedules(runs=20)
    async def test_right(self):
        await both(self.account, asyncio.Lock())

class Guarded(GuardedAsyncTestCase):
    @pytest.mark.schedules(runs=200)
    async def test_race(self):
        await both({"balance": 0})

    @pytest.mark.schedules(runs=20)
    async def test_right(self):
        await both({"balance": 0}, asyncio.Lock())

@pytest.mark.schedules(runs=200)
def test_race_in_a_loop_of_its_own(account):
    asyncio.run(both(account))
"""
INI = "asyncio_default_fixture_loop_scope = function"


@pytest.fixture(scope="module")
def race(run_suite):
    """Run a suite with the racing functions."""

    def run(code, *args, plugins=("asyncio",), **more):
        return run_suite(RACE + dedent(code), *args, plugins=plugins, ini=INI, **more)

    return run


@pytest.mark.parametrize(
    ("code", "plugins"),
    [
        (PYTEST_ASYNCIO, ("asyncio",)),
        (ANYIO, ("anyio",)),
        (UNITTEST, ()),
    ],
    ids=["pytest-asyncio", "anyio", "unittest"],
)
def test_races_fail_and_the_others_pass(race, code, plugins):
    """A race fails with its token and its lines; what is right passes."""
    run = race(code, "--coroguard=strict", plugins=plugins)
    outcomes = {name: run.outcome(name) for name in run.phases}
    assert outcomes == {
        name: "call failed" if "race" in name else "passed" for name in outcomes
    }
    assert run.output.count("ran before deposit #") >= outcomes_of(run, "call failed")
    tokens = re.findall(r"--coroguard-replay=([\w.-]+)", run.output)
    assert len(tokens) == outcomes_of(run, "call failed")
    assert ": 20 schedules, " in run.section("schedules")


def outcomes_of(run, wanted):
    return [run.outcome(name) for name in run.phases].count(wanted)


@pytest.mark.parametrize(
    ("code", "plugins"),
    [(PYTEST_ASYNCIO, ("asyncio",)), (ANYIO, ("anyio",))],
    ids=["pytest-asyncio", "anyio"],
)
def test_token_replays_its_test_alone(race, code, plugins):
    """The token that was printed runs that test by that schedule, five times."""
    printed = race(code, "-k", "test_race", plugins=plugins).output
    node, token = re.findall(r"pytest (\S+) --coroguard-replay=(\S+)", printed)[0]
    run = race(code, f"--coroguard-replay={token}", plugins=plugins)
    assert list(run.phases) == [node.partition("::")[2].strip("'")]
    assert "reproduced 5 of 5" in run.section("schedules")
    assert run.code == 1


def test_replay_of_what_was_corrected(race):
    """A replay that no longer fails reports it, and the test passes."""
    printed = race(PYTEST_ASYNCIO, "-k", "test_race").output
    token = re.findall(r"--coroguard-replay=(\S+)", printed)[0]
    corrected = PYTEST_ASYNCIO.replace("both(opened)", "both(opened, asyncio.Lock())")
    run = race(corrected, f"--coroguard-replay={token}")
    assert "reproduced 0 of 5" in run.section("schedules")
    assert run.code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--coroguard-schedules=0",), "--coroguard-schedules=0 is not a whole number"),
        (("--coroguard-schedules=many",), "'many' is not a whole number from 1 up"),
        (("--coroguard-replay=jitter.0001",), "'jitter.0001' is not a replay token"),
        (("--coroguard-replay=fifo.0000.443e194b",), "printed by explore()"),
        (("--coroguard-replay=fifo.0001.333929dd",), "none of the tests that were"),
    ],
    ids=str,
)
def test_wrong_options_are_refused(race, args, message):
    """A wrong option ends the run before any test, with one clear line."""
    run = race(PYTEST_ASYNCIO, *args)
    assert run.code == 4
    assert message in run.output
    assert "Traceback" not in run.output
    assert run.phases == {}


def test_wrong_markers_fail_their_test(race):
    """A wrong marker fails its own test, and names what is wrong."""
    code = """
    pytestmark = pytest.mark.asyncio

    @pytest.mark.schedules(runs=0)
    async def test_runs(): pass

    @pytest.mark.schedules(run=3)
    async def test_name(): pass

    @pytest.mark.schedules(3, 4)
    async def test_two(): pass

    @pytest.mark.schedules(policy="ptc")
    async def test_policy(): pass

    @pytest.mark.schedules
    def test_no_loop(): pass

    async def test_other(): pass
    """
    run = race(code)
    texts = {name: phases["call"].text for name, phases in run.phases.items()}
    assert "runs=0 is not a whole number" in texts["test_runs"]
    assert "Did you mean 'runs'" in texts["test_name"]
    assert "schedules takes one number" in texts["test_two"]
    assert "Did you mean 'pct'" in texts["test_policy"]
    assert "no loop of asyncio ran" in texts["test_no_loop"]
    assert run.outcome("test_other") == "passed"


def test_option_runs_every_async_test(race):
    """``--coroguard-schedules`` explores async tests, and leaves sync ones alone."""
    code = """
    pytestmark = pytest.mark.asyncio

    async def test_race(account):
        await both(account)

    @pytest.mark.schedules(runs=3)
    async def test_right(account):
        await both(account, asyncio.Lock())

    def test_sync(account):
        pass
    """
    run = race(code, "--coroguard-schedules=50")
    assert run.outcome("test_race") == "call failed"
    assert "test_right: 50 schedules" in run.section("schedules")
    assert "test_sync" not in run.section("schedules")
    assert race(code, "-k", "test_race").code == 0


def test_failure_in_asyncios_own_order_needs_no_token(race):
    """What fails without a schedule is reported as that."""
    code = """
    @pytest.mark.asyncio
    @pytest.mark.schedules
    async def test_wrong(account):
        assert account["balance"] == 1
    """
    run = race(code)
    assert "failed in asyncio's own order, so no schedule is needed" in run.output
    assert "--coroguard-replay" not in run.output


def test_skips_and_expected_failures_keep_their_outcome(race):
    """A skip ends the runs; a race that is expected to fail is looked for."""
    code = """
    pytestmark = [pytest.mark.asyncio, pytest.mark.schedules(runs=200)]

    async def test_skip(account):
        pytest.skip("not here")

    @pytest.mark.xfail(strict=True)
    async def test_race(account):
        await both(account)

    @pytest.mark.xfail(strict=True)
    async def test_right(account):
        assert True
    """
    run = race(code)
    outcomes = {name: run.phases[name]["call"].outcome for name in run.phases}
    assert outcomes == {
        "test_skip": "skipped",
        "test_race": "skipped",  # pytest's word for a failure that was expected
        "test_right": "failed",
    }
    assert "[XPASS(strict)]" in run.output


def test_each_run_has_its_own_setup_and_wider_fixtures_are_kept(race):
    """Fixtures of a test are set up for each run, those of a module once."""
    code = """
    pytestmark = pytest.mark.asyncio
    COUNTS = {"module": 0, "test": 0}

    @pytest.fixture(scope="module")
    def module():
        COUNTS["module"] += 1
        yield
        assert COUNTS == {"module": 1, "test": 10}

    @pytest.fixture
    def test(module):
        COUNTS["test"] += 1

    @pytest.mark.schedules(runs=10)
    async def test_it(test):
        await turns(2)
    """
    run = race(code)
    assert run.code == 0
    assert set(run.phases) == {"test_it"}


def test_trio_is_not_explored(race):
    """The option leaves trio's runs alone, and the summary names the reason."""
    pytest.importorskip("trio")
    code = """
    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend():
        return "trio"

    async def test_it():
        import anyio
        await anyio.sleep(0)
    """
    run = race(code, "--coroguard-schedules=3", plugins=("anyio",))
    assert run.code == 0
    assert "not explored: no loop of asyncio ran" in run.section("schedules")


def test_workers_explore(race):
    """Workers of pytest-xdist send what they found."""
    run = race(PYTEST_ASYNCIO, "-n2", plugins=("asyncio", "xdist"))
    assert run.outcome("test_race") == "call failed"
    assert "test_right: 20 schedules" in run.section("schedules")


def test_leak_of_one_schedule_fails(race):
    """In strict mode a coroutine that only some orders leave behind is found."""
    code = """
    @pytest.mark.asyncio
    @pytest.mark.schedules(runs=200)
    async def test_leaks(account):
        async def late():
            await turns(5)
            if account["balance"]:
                fetch()
        async def early():
            await turns(1)
            account["balance"] = 1
            await turns(1)
            account["balance"] = 0
        await asyncio.gather(late(), early())
    """
    run = race(code, "--coroguard=strict", "-Wignore")
    assert run.outcome("test_leaks") == "call failed"
    assert "coroutine 'fetch'" in run.output
    assert "--coroguard-replay=" in run.output
