"""Verdicts of gates, judged from the evidence of their runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .evidence import Outcome, RunEvidence, TestEvidence
from .record import AMOUNTS


class Verdict(StrEnum):
    """The outcome of a gate."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    FLAKY = "FLAKY"
    INCOMPLETE = "INCOMPLETE"
    NOT_RUN = "NOT_RUN"
    ERROR = "ERROR"
    WAIVED = "WAIVED"


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition of deployment with the tests that it expects.

    Args:
        name: Its name in markers and in the configuration.
        expected: Node ids of the tests that have to pass, pinned before the run.
        uncollected: Entries of the configuration that no collected test matches.
        nearest: The most similar collected node id, by uncollected entry.
        minimum: The least amount of each kind that has to be done.
        services: The services that its tests have to use.
        needs: The gates that have to be green before this one can be.
        limit_s: How long a run may take on the wall clock.
    """

    name: str
    title: str = ""
    rule: str = ""
    impact: str = ""
    blocks_deployment: bool = True
    category: str = ""
    expected: tuple[str, ...] = ()
    uncollected: tuple[str, ...] = ()
    nearest: Mapping[str, str] = field(default_factory=dict[str, str])
    minimum: Mapping[str, int] = field(default_factory=dict[str, int])
    services: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    limit_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reasons; PASSED needs none."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


# The verdict of a gate that each outcome of a test causes, worst first.
_WEIGHT = {
    Outcome.FAILED: Verdict.FAILED,
    Outcome.LEAKED: Verdict.FAILED,
    Outcome.BROKE: Verdict.ERROR,
    Outcome.FLAKY: Verdict.FLAKY,
    Outcome.MISSING: Verdict.INCOMPLETE,
    Outcome.SKIPPED: Verdict.INCOMPLETE,
    Outcome.XFAILED: Verdict.INCOMPLETE,
    Outcome.XPASSED: Verdict.INCOMPLETE,
    Outcome.DESELECTED: Verdict.INCOMPLETE,
    Outcome.NOT_RUN: Verdict.INCOMPLETE,
}
_WORST_FIRST = (Verdict.FAILED, Verdict.ERROR, Verdict.FLAKY, Verdict.INCOMPLETE)


def judge(
    gate: Gate,
    run: RunEvidence,
    *,
    real_services: bool = False,
    verdicts: Mapping[str, Verdict] | None = None,
) -> Judgement:
    """Judge a gate by the evidence of its run.

    Args:
        gate: The gate and the tests that it expects.
        run: The evidence of its run.
        real_services: Whether each service that was used has to be real.
        verdicts: The verdicts of the gates judged before, by name.

    Returns:
        PASSED only if every expected test has a passed call and nothing else was
        found; otherwise the worst verdict that was found, with every reason.
    """
    if run.broken:
        return Judgement(Verdict.ERROR, run.broken)
    if not gate.expected:
        return Judgement(Verdict.NOT_RUN, tuple(_not_collected(gate, run)))
    found = [
        *_by_tests(gate, run),
        *_by_run(run),
        *_by_needs(gate, verdicts or {}),
        *_by_what_is_absent(gate, run, real_services=real_services),
    ]
    if not found:
        return Judgement(Verdict.PASSED)
    verdict = min((v for v, _ in found), key=_WORST_FIRST.index)
    ran = any(test.phases for test in run.tests.values())
    if verdict is Verdict.INCOMPLETE and not ran:
        verdict = Verdict.NOT_RUN
    ordered = sorted(found, key=lambda item: _WORST_FIRST.index(item[0]))
    return Judgement(verdict, tuple(reason for _, reason in ordered))


def amounts(tests: Iterable[TestEvidence]) -> dict[str, int]:
    """Sum up the amounts of the tests by kind, in a fixed order."""
    total: Counter[str] = Counter()
    for test in tests:
        # `Counter.update` keeps a kind whose amount is 0.
        total.update(test.record.get("amounts", {}))
    return {kind: total[kind] for kind in AMOUNTS if kind in total}


def services(tests: Iterable[TestEvidence]) -> list[dict[str, Any]]:
    """Return each service once; it was real only if it was for every test."""
    seen: dict[str, dict[str, Any]] = {}
    for test in tests:
        for service in test.record.get("services", ()):
            known = seen.setdefault(service["name"], dict(service))
            known["real"] = known["real"] and service["real"]
            known["version"] = known["version"] or service["version"]
    return list(seen.values())


_Finding = tuple[Verdict, str]


def _by_tests(gate: Gate, run: RunEvidence) -> Iterator[_Finding]:
    for test_id in gate.expected:
        outcome = run.outcome(test_id)
        if outcome is Outcome.PASSED:
            continue
        test = run.tests.get(test_id)
        text = test.text if test else ""
        yield _WEIGHT[outcome], f"{test_id} {_described(outcome)}{text and f': {text}'}"
    for reason in _uncollected(gate):
        yield Verdict.INCOMPLETE, reason


def _by_run(run: RunEvidence) -> Iterator[_Finding]:
    for leak in run.leaks:
        yield Verdict.FAILED, f"outside any test: un-awaited {leak}"
    for failure in run.failures:
        yield Verdict.FAILED, f"outside any test: {failure}"


def _by_needs(gate: Gate, verdicts: Mapping[str, Verdict]) -> Iterator[_Finding]:
    for name in gate.needs:
        verdict = verdicts.get(name, Verdict.NOT_RUN)
        if verdict in (Verdict.PASSED, Verdict.WAIVED):
            continue
        failed = verdict is Verdict.FAILED
        worth = Verdict.FAILED if failed else Verdict.INCOMPLETE
        yield worth, f"it needs the gate {name!r}, which is {verdict}"


def _by_what_is_absent(
    gate: Gate, run: RunEvidence, *, real_services: bool
) -> Iterator[_Finding]:
    done = amounts(run.tests.values())
    for kind in AMOUNTS:
        least = max(gate.minimum.get(kind, 0), int(kind in done))
        if done.get(kind, 0) < least:
            yield Verdict.INCOMPLETE, f"{done.get(kind, 0)} {kind}, at least {least}"
    used = {service["name"]: service for service in services(run.tests.values())}
    for name in gate.services:
        if name not in used:
            yield Verdict.INCOMPLETE, f"no test used the service {name!r}"
    for name, service in used.items():
        if real_services and not service["real"]:
            yield Verdict.INCOMPLETE, f"the service {name!r} was not the real one"


def _not_collected(gate: Gate, run: RunEvidence) -> Iterator[str]:
    yield "no test was collected for it"
    yield from _uncollected(gate)
    yield from run.collect_errors


def _uncollected(gate: Gate) -> Iterator[str]:
    for entry in gate.uncollected:
        near = gate.nearest.get(entry, "")
        hint = f". Did you mean {near!r}?" if near else ""
        yield f"{entry} is expected and was not collected{hint}"


def _described(outcome: Outcome) -> str:
    """Return an outcome as the predicate of a sentence about a test."""
    match outcome:
        case Outcome.LEAKED:
            return "left a coroutine un-awaited"
        case Outcome.BROKE:
            return "failed in setup or teardown"
        case Outcome.FLAKY:
            return "passed only when it was run again"
        case Outcome.MISSING:
            return "lacked a service"
        case Outcome.NOT_RUN | Outcome.DESELECTED | Outcome.SKIPPED:
            return f"was {outcome}"
        case _:
            return str(outcome)
