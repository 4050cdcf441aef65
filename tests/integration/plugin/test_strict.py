"""Leaks that fail the test that caused them, in its own phase, and no other."""

from __future__ import annotations

import pytest

SUITE = """
from coroguard import CoroutineLeakError, guard, mode, watch
from typing import Any

# Where warnings are errors, pytest blames the phase after a collection by chance.
gc.disable()
PLACE = type("PLACE", (), {"call": None})
HELD = []
# Where warnings are errors, pytest fails these by itself.
drops = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")

# --- leaks

def test_dropped():
    fetch()

def test_swallowed():
    try:
        fetch().get("x")
    except Exception:
        pass

def test_truth_tested():
    assert not not fetch()

def test_compared():
    assert fetch() != {"healthy": True}

def test_in_a_cycle():
    cycle = [fetch()]
    cycle.append(cycle)

def test_in_a_cycle_collected_meanwhile():
    cycle = [fetch()]
    cycle.append(cycle)
    del cycle
    gc.collect()

def test_in_a_cycle_that_became_old():
    cycle = [fetch()]
    cycle.append(cycle)
    gc.collect()

def test_kept_by_a_local_mock():
    MagicMock()(fetch())

def test_kept_by_a_patched_mock(monkeypatch):
    monkeypatch.setattr(PLACE, "call", Mock(name="create_task"))
    PLACE.call(fetch())

def test_kept_by_the_keywords_of_a_mock(monkeypatch):
    monkeypatch.setattr(PLACE, "call", MagicMock())
    PLACE.call.somewhere.deep(job=[fetch()])

def test_async_mock_not_awaited():
    AsyncMock(name="save")()

def test_in_a_thread():
    thread = threading.Thread(target=fetch)
    thread.start()
    thread.join()

def test_in_a_task():
    async def main():
        await asyncio.create_task(child())
    async def child():
        fetch()
    asyncio.run(main())

def test_two_of_them():
    fetch()
    other()
    fetch()

@guard(returns=Any)
def leaves_and_raises():
    fetch()
    raise KeyError("x")

def test_noted_on_an_exception_that_is_expected():
    with pytest.raises(KeyError):
        leaves_and_raises()

@pytest.mark.parametrize("n", [1, 2])
def test_parameters(n):
    if n == 2:
        fetch()

class TestClass:
    def test_method(self):
        fetch()

@pytest.fixture
def leaks_in_setup():
    fetch()

@pytest.fixture
def leaks_in_teardown():
    yield
    fetch()

@pytest.fixture(scope="module")
def leaks_for_the_module():
    fetch()
    return 1

def test_setup(leaks_in_setup):
    pass

def test_teardown(leaks_in_teardown):
    pass

def test_triggers_the_module(leaks_for_the_module):
    pass

def test_uses_the_module_too(leaks_for_the_module):
    pass

@pytest.fixture
def returns_one():
    return fetch()

@drops
def test_does_not_await_its_fixture(returns_one):
    assert returns_one

def test_awaits_its_fixture(returns_one):
    async def main():
        return await returns_one
    assert asyncio.run(main()) == 1

@drops
def test_holds_that_of_its_fixture(returns_one):
    HELD.append(returns_one)

def test_awaits_that_of_the_fixture_before():
    HELD.pop().close()

# --- a failure that a coroutine caused, and the test after it

def test_fails():
    fetch().get("x")

@drops
def test_after_a_failure():
    gc.collect()

def test_mirror():
    async def main():
        await len("x")
    asyncio.run(main())

# --- not leaks

def test_clean():
    assert asyncio.run(fetch()) == 1

@drops
def test_handled():
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(lambda: bool(fetch()))()

def test_handled_with_a_second_leak():
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(lambda: {"a": fetch(), "b": other()})()

@drops
def test_pinned():
    with mode("observe"), watch() as leaks:
        fetch()
    assert len(leaks) == 1

def test_holds_one_for_the_next():
    HELD.append(fetch())

@drops
def test_drops_that_of_the_one_before():
    HELD.clear()

@pytest.fixture
def awaits_in_teardown():
    mock = Mock()
    yield mock
    asyncio.run(mock.call_args.args[0])

def test_awaited_by_the_fixture(awaits_in_teardown):
    awaits_in_teardown(fetch())

@pytest.fixture
def closes_afterwards(request, monkeypatch):
    mock = Mock()
    monkeypatch.setattr(PLACE, "call", mock)
    request.addfinalizer(lambda: mock.call_args.args[0].close())

def test_closed_by_a_finalizer(closes_afterwards):
    PLACE.call(fetch())

def test_queued_and_mocked(monkeypatch):
    monkeypatch.setattr(PLACE, "call", MagicMock())
    HELD.append([{"deep": [[{"down": ([[fetch()]],)}]]}])
    PLACE.call(HELD[-1][0]["deep"][0][0]["down"][0][0][0])

def test_awaits_what_was_queued():
    asyncio.run(HELD.pop()[0]["deep"][0][0]["down"][0][0][0])

def test_cancelled_before_start():
    async def main():
        task = asyncio.create_task(fetch())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    asyncio.run(main())

def test_skipped():
    pytest.skip("no need")

# --- allowances

@pytest.mark.allow_leaks("fet*", reason="issue 7")
def test_allowed():
    fetch()

@pytest.mark.allow_leaks("fetch", reason="issue 7")
def test_another_is_not_allowed():
    other()

@pytest.mark.allow_leaks("never", reason="issue 8")
def test_met_nothing():
    pass

@pytest.mark.allow_leaks("fetch")
def test_without_reason():
    pass

@pytest.mark.allow_leaks("fet*", reason="issue 7")
def test_allowed_in_setup(leaks_in_setup):
    pass

# --- fixtures, mode, colours

@drops
def test_seen_so_far(coroguard_leaks):
    assert coroguard_leaks == []
    with mode("observe"), watch():
        fetch()
    (leak,) = coroguard_leaks
    assert leak.name == "fetch"

def test_mode_is_strict():
    from coroguard._runtime.modes import current
    assert current() == "strict"

async def test_nobody_awaits():
    pass

def lookup():
    return 1

def test_collides(collide):
    collide("test_it:lookup" if "test_it" in __import__("sys").modules else HERE, None)
    lookup()

HERE = __name__ + ":lookup"

def test_collided_before():
    assert lookup() == 1

@drops
def test_reports(health_report):
    assert guard(health_report)()["healthy"] is True

# The last one: where warnings are errors, pytest's own exception holds the
# coroutine, and pytest blames the test in which it happens to be freed.
def test_returns_a_coroutine():
    return fetch()
"""

CALL, SETUP, TEARDOWN = "call failed", "setup failed", "teardown failed"
EXPECTED = {
    "test_dropped": CALL,
    "test_swallowed": CALL,
    "test_truth_tested": CALL,
    "test_compared": CALL,
    "test_in_a_cycle": CALL,
    "test_in_a_cycle_collected_meanwhile": CALL,
    "test_in_a_cycle_that_became_old": CALL,
    "test_kept_by_a_local_mock": CALL,
    "test_kept_by_a_patched_mock": CALL,
    "test_kept_by_the_keywords_of_a_mock": CALL,
    "test_async_mock_not_awaited": CALL,
    "test_in_a_thread": CALL,
    "test_in_a_task": CALL,
    "test_two_of_them": CALL,
    "test_noted_on_an_exception_that_is_expected": CALL,
    "test_parameters[1]": "passed",
    "test_parameters[2]": CALL,
    "TestClass::test_method": CALL,
    "test_setup": SETUP,
    "test_teardown": TEARDOWN,
    "test_triggers_the_module": SETUP,
    "test_uses_the_module_too": "passed",
    "test_does_not_await_its_fixture": TEARDOWN,
    "test_awaits_its_fixture": "passed",
    "test_holds_that_of_its_fixture": "passed",
    "test_awaits_that_of_the_fixture_before": "passed",
    "test_fails": CALL,
    "test_after_a_failure": "passed",
    "test_mirror": CALL,
    "test_clean": "passed",
    "test_handled": "passed",
    "test_handled_with_a_second_leak": "passed",
    "test_pinned": "passed",
    "test_holds_one_for_the_next": "passed",
    "test_drops_that_of_the_one_before": "passed",
    "test_awaited_by_the_fixture": "passed",
    "test_closed_by_a_finalizer": "passed",
    "test_queued_and_mocked": "passed",
    "test_awaits_what_was_queued": "passed",
    "test_cancelled_before_start": "passed",
    "test_skipped": "call skipped",
    "test_allowed": "passed",
    "test_another_is_not_allowed": CALL,
    "test_met_nothing": "passed",
    "test_without_reason": SETUP,
    "test_allowed_in_setup": "passed",
    "test_seen_so_far": "passed",
    "test_mode_is_strict": "passed",
    "test_nobody_awaits": CALL,
    "test_returns_a_coroutine": CALL,
    "test_collides": CALL,
    "test_collided_before": "passed",
    "test_reports": "passed",
}


@pytest.fixture(
    scope="module",
    params=[("",), ("", "-n2"), ("filterwarnings = error",)],
    ids=["alone", "two workers", "warnings are errors"],
)
def strict(run_suite, request):
    """The suite's run in strict mode, in the ways that suites are run."""
    ini, *args = request.param
    plugins = ("xdist",) if args else ()
    # What depends on the order of tests stays on one worker.
    args += ["--dist=loadfile"] if args else []
    return run_suite(SUITE, "--coroguard=strict", *args, plugins=plugins, ini=ini)


def test_each_leak_fails_its_own_test_in_its_own_phase(strict):
    """A leak fails the test and the phase that caused it; all others pass."""
    assert {name: strict.outcome(name) for name in EXPECTED} == EXPECTED


def test_nothing_ran_that_is_not_expected(strict):
    """The table above speaks of every test of the suite."""
    assert set(strict.phases) == set(EXPECTED)


def test_the_error_is_that_of_the_guard(strict):
    """A leak has the message of a guard: who, what, where, and the fix."""
    text = strict.phases["test_dropped"]["call"].text
    assert text[text.index("coroguard.") :] == (
        "coroguard.CoroutineLeakError: test_dropped() left a coroutine behind "
        "un-awaited\n"
        "  leaked:   coroutine 'fetch' (async def, test_it.py:6)\n"
        "  created:  test_it.py:25, in test_dropped\n"
        "  fix:      await fetch(...) where it is called, and make test_dropped "
        "async, or call a synchronous twin [CG103]"
    )


@pytest.mark.parametrize(
    ("name", "when", "words"),
    [
        ("TestClass::test_method", "call", "TestClass.test_method() left a coroutine"),
        ("test_parameters[2]", "call", "test_parameters[2] left a coroutine"),
        ("test_setup", "setup", "setup of test_setup left a coroutine"),
        ("test_teardown", "teardown", "teardown of test_teardown left a coroutine"),
        ("test_kept_by_a_patched_mock", "call", "kept by a Mock named 'create_task'"),
        (
            "test_async_mock_not_awaited",
            "call",
            "coroutine 'save'\n  created:  test_",
        ),
        ("test_two_of_them", "call", "also: dropped: coroutine 'other' (async def"),
        ("test_without_reason", "setup", "allow_leaks needs one pattern and a reason"),
        ("test_collides", "call", "coroutine 'lookup' (async def, test_it.py:"),
    ],
    ids=lambda value: value if value.startswith(("test_", "Test")) else "",
)
def test_the_error_names(strict, name, when, words):
    """The error names the test or fixture, the coroutine, and who keeps it."""
    assert words in strict.phases[name][when].text


def test_a_leak_is_reported_once(strict):
    """The same leak, left twice by a test, is one line."""
    text = strict.phases["test_two_of_them"]["call"].text
    assert text.count("'fetch'") == 2  # two lines created them
    assert text.count("'other'") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_fails", "test_fails() used a coroutine as a value"),
        ("test_mirror", "test_mirror() awaited what is not awaitable"),
    ],
)
def test_a_failure_is_explained(strict, name, words):
    """A failure that a coroutine caused has a section that explains it."""
    assert words in strict.phases[name]["call"].section


def test_other_failures_are_left_alone(strict):
    """What no coroutine caused has no section."""
    sections = {
        name
        for name, phases in strict.phases.items()
        if any(phase.section for phase in phases.values())
    }
    before_pytest_8_4 = {"test_returns_a_coroutine"}
    assert sections - before_pytest_8_4 == {"test_fails", "test_mirror"}


def test_allowances_are_listed(strict):
    """The summary names what was allowed and why, and what met no leak."""
    allowed = strict.section("allowed leaks")
    assert "test_allowed: coroutine 'fetch'" in allowed
    assert "test_allowed_in_setup (setup): coroutine 'fetch'" in allowed
    assert allowed.count("issue 7") == 2
    idle = strict.section("allowances that met no leak")
    assert "test_met_nothing: 'never', issue 8" in idle


def test_the_header_names_the_mode(strict):
    """The mode and who set it are in the report's header."""
    assert "coroguard: mode=strict (--coroguard)\n" in strict.output
