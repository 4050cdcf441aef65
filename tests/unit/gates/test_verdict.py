"""Verdicts of a gate, rule by rule."""

from __future__ import annotations

import itertools

import pytest

from coroguard.gates.evidence import Attempt, Outcome, Phase, RunEvidence, TestEvidence
from coroguard.gates.verdict import Gate, Verdict, amounts, judge, services

GREEN = tuple(Phase(when, "passed") for when in ("setup", "call", "teardown"))
SKIP = (Phase("setup", "skipped", text="no redis"), GREEN[2])
BROKE = (Phase("setup", "failed", text="refused"), GREEN[2])
LEFT_OPEN = (*GREEN[:2], Phase("teardown", "failed"))
FAILED = (GREEN[0], Phase("call", "failed", text="assert 0"), GREEN[2])
XFAILED = (GREEN[0], Phase("call", "skipped", xfail=True), GREEN[2])
XPASSED = (GREEN[0], Phase("call", "passed", xfail=True), GREEN[2])
RERUN = (GREEN[0], Phase("call", "rerun"), GREEN[2], *GREEN)
ONLY_SET_UP = GREEN[:1]


def happened(call="passed", *, ran=True, **more) -> tuple[Attempt, ...]:
    """Return what happened in a test, where its call ended as given."""
    others = {"setup": "passed", "teardown": "passed", **more}
    return (
        Attempt("setup", others["setup"]),
        Attempt("call", call, ran=ran),
        Attempt("teardown", others["teardown"]),
    )


def evidence(phases=GREEN, attempts=None, **more) -> TestEvidence:
    if attempts is None:
        attempts = happened()
    return TestEvidence("t::a", phases, attempts, **more)


def run(*tests: TestEvidence, **more) -> RunEvidence:
    return RunEvidence(tests={test.id: test for test in tests}, **more)


def recorded(**data) -> dict:
    return {"amounts": {}, "services": [], "missing": [], "measures": [], **data}


OUTCOMES = {
    "passed": (evidence(), Outcome.PASSED, Verdict.PASSED),
    "failed": (evidence(FAILED), Outcome.FAILED, Verdict.FAILED),
    "leaked": (evidence(leaks=("c",)), Outcome.LEAKED, Verdict.FAILED),
    "setup broke": (evidence(BROKE), Outcome.BROKE, Verdict.ERROR),
    "teardown broke": (evidence(LEFT_OPEN), Outcome.BROKE, Verdict.ERROR),
    "rerun": (evidence(RERUN), Outcome.FLAKY, Verdict.FLAKY),
    "a hidden attempt": (
        evidence(attempts=(*happened("failed"), *happened())),
        Outcome.FLAKY,
        Verdict.FLAKY,
    ),
    "a call that failed and was reported as passed": (
        evidence(attempts=happened("failed")),
        Outcome.FAILED,
        Verdict.FAILED,
    ),
    "a setup that failed and was reported as passed": (
        evidence(attempts=happened(setup="failed")),
        Outcome.BROKE,
        Verdict.ERROR,
    ),
    "a teardown that failed and was reported as passed": (
        evidence(attempts=happened(teardown="failed")),
        Outcome.BROKE,
        Verdict.ERROR,
    ),
    "a skip that was reported as passed": (
        evidence(attempts=happened("skipped")),
        Outcome.SKIPPED,
        Verdict.INCOMPLETE,
    ),
    "a body that did not run": (
        evidence(attempts=happened(ran=False)),
        Outcome.NOT_RUN,
        Verdict.INCOMPLETE,
    ),
    "a report of what never ran": (
        evidence(attempts=()),
        Outcome.NOT_RUN,
        Verdict.INCOMPLETE,
    ),
    "a failure in a thread": (
        evidence(failures=("in thread 'a': KeyError: 1",)),
        Outcome.FAILED,
        Verdict.FAILED,
    ),
    "a refused record that was swallowed": (
        evidence(record={"refused": ["users=nan"]}),
        Outcome.FAILED,
        Verdict.FAILED,
    ),
    "missing": (
        evidence(FAILED, happened("missing")),
        Outcome.MISSING,
        Verdict.INCOMPLETE,
    ),
    "missing and swallowed": (
        evidence(record={"missing": [{"name": "redis", "why": "?"}]}),
        Outcome.MISSING,
        Verdict.INCOMPLETE,
    ),
    "skipped": (evidence(SKIP), Outcome.SKIPPED, Verdict.INCOMPLETE),
    "xfailed": (evidence(XFAILED), Outcome.XFAILED, Verdict.INCOMPLETE),
    "xpassed": (evidence(XPASSED), Outcome.XPASSED, Verdict.INCOMPLETE),
    "no call": (evidence(ONLY_SET_UP), Outcome.NOT_RUN, Verdict.INCOMPLETE),
    "no phase": (evidence((), ()), Outcome.NOT_RUN, Verdict.NOT_RUN),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_one_test(name):
    """Only a passed call without anything against it speaks for a gate."""
    test, outcome, verdict = OUTCOMES[name]
    judgement = judge(Gate("g", expected=("t::a",)), run(test))
    assert (test.outcome, judgement.verdict) == (outcome, verdict)
    assert bool(judgement.reasons) is (verdict is not Verdict.PASSED)


def test_every_outcome_but_passed_is_red():
    """No outcome that pytest may add is green by oversight."""
    seen = {outcome for _, outcome, _ in OUTCOMES.values()} | {Outcome.DESELECTED}
    assert seen == set(Outcome)


WORST_FIRST = ["failed", "setup broke", "rerun", "skipped", "passed"]


@pytest.mark.parametrize(("worse", "better"), [*itertools.combinations(WORST_FIRST, 2)])
def test_the_worst_decides(worse, better):
    """Of two tests the worse one decides, in either order."""
    first, second = OUTCOMES[worse], OUTCOMES[better]
    tests = {"t::a": first[0], "t::b": second[0]}
    for expected in (("t::a", "t::b"), ("t::b", "t::a")):
        gate = Gate("g", expected=expected)
        assert judge(gate, RunEvidence(tests=tests)).verdict is first[2]


RULES = {
    "a run that cannot be believed": (
        Gate("g", expected=("t::a",)),
        run(evidence(FAILED), broken=("no report",)),
        (Verdict.ERROR, "no report"),
    ),
    "nothing collected": (Gate("g"), run(), (Verdict.NOT_RUN, "no test was collected")),
    "an expected test that is gone": (
        Gate("g", expected=("t::a", "t::b")),
        run(evidence()),
        (Verdict.INCOMPLETE, "t::b was not run"),
    ),
    "deselected": (
        Gate("g", expected=("t::a", "t::b")),
        run(evidence(), deselected=frozenset({"t::b"})),
        (Verdict.INCOMPLETE, "t::b was deselected"),
    ),
    "listed and not collected": (
        Gate("g", expected=("t::a",), uncollected=("u.py",)),
        run(evidence()),
        (Verdict.INCOMPLETE, "u.py is expected and was not collected"),
    ),
    "a leak outside any test": (
        Gate("g", expected=("t::a",)),
        run(evidence(), leaks=("coroutine 'c'",)),
        (Verdict.FAILED, "outside any test: un-awaited coroutine 'c'"),
    ),
    "a failure outside any test": (
        Gate("g", expected=("t::a",)),
        run(evidence(), failures=("in thread 'a': KeyError: 1",)),
        (Verdict.FAILED, "outside any test: in thread 'a'"),
    ),
    "below the minimum": (
        Gate("g", expected=("t::a",), minimum={"faults": 3}),
        run(evidence(record=recorded(amounts={"faults": 2}))),
        (Verdict.INCOMPLETE, "2 faults, at least 3"),
    ),
    "a minimum and nothing said": (
        Gate("g", expected=("t::a",), minimum={"users": 1}),
        run(evidence()),
        (Verdict.INCOMPLETE, "0 users, at least 1"),
    ),
    "named and nothing done": (
        Gate("g", expected=("t::a",)),
        run(evidence(record=recorded(amounts={"messages": 0}))),
        (Verdict.INCOMPLETE, "0 messages, at least 1"),
    ),
    "a service that was never used": (
        Gate("g", expected=("t::a",), services=("redis",)),
        run(evidence()),
        (Verdict.INCOMPLETE, "no test used the service 'redis'"),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule):
    """Each rule of the gates holds by itself, and gives the reason."""
    gate, left, (verdict, reason) = RULES[rule]
    judgement = judge(gate, left)
    assert judgement.verdict is verdict
    assert reason in judgement.reasons[0]


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (Verdict.PASSED, Verdict.PASSED),
        (Verdict.WAIVED, Verdict.PASSED),
        (Verdict.FAILED, Verdict.FAILED),
        (Verdict.FLAKY, Verdict.INCOMPLETE),
        (Verdict.INCOMPLETE, Verdict.INCOMPLETE),
        (Verdict.ERROR, Verdict.INCOMPLETE),
        (None, Verdict.INCOMPLETE),
    ],
)
def test_needs(needed, expected):
    """A gate is not greener than the gates that it needs."""
    gate = Gate("g", expected=("t::a",), needs=("first",))
    verdicts = {"first": needed} if needed else {}
    assert judge(gate, run(evidence()), verdicts=verdicts).verdict is expected


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("demanded", [True, False])
def test_real_services(real, demanded):
    """Where real services are demanded, a stand-in leaves the gate incomplete."""
    used = {"name": "redis", "real": real, "version": ""}
    left = run(evidence(record=recorded(services=[used])))
    judgement = judge(Gate("g", expected=("t::a",)), left, real_services=demanded)
    assert (judgement.verdict is Verdict.PASSED) is (real or not demanded)


def test_amounts_are_summed():
    """Amounts add up over the tests, and a kind that nobody named is left out."""
    tests = [evidence(record=recorded(amounts={"users": n})) for n in (2, 0, 3)]
    assert amounts(tests) == {"users": 5}


def test_a_service_is_real_only_if_always():
    """One test with a stand-in is enough for a service not to have been real."""
    tests = [
        evidence(record=recorded(services=[{"name": "db", "real": r, "version": v}]))
        for r, v in ((True, ""), (False, "17.5"))
    ]
    assert services(tests) == [{"name": "db", "real": False, "version": "17.5"}]
