"""Checks of the trust in a report of pytest."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .evidence import RunEvidence, TestEvidence, printable
from .sealed import NotThisRunError, read_sealed

if TYPE_CHECKING:
    from .job import Job
    from .process import Ended

_MEANINGS = {
    2: "pytest was interrupted",
    3: "pytest had an internal error",
    4: "pytest was called wrongly",
}


def read(job: Job, ended: Ended) -> tuple[dict[str, Any], str]:
    """Return the report of a run, or the reason why it cannot be trusted."""
    try:
        return json.loads(read_sealed(job.report, ended.nonce)), ""
    except FileNotFoundError:
        return {}, f"pytest {_left(ended.exit_code)} and wrote no report"
    except NotThisRunError:
        return {}, "the report was not written by this run: stale, torn or forged"


def doubts(report: Mapping[str, Any], exit_code: int) -> Iterator[str]:
    """Yield each reason not to believe a report; a sound run has no reason."""
    yield from report["ended"]
    if exit_code != report["exit"]:
        yield f"pytest {_left(exit_code)}, and its report has {report['exit']}"
    if not report["complete"]:
        yield "the process ended before its exit handlers had run"
    if report["exit"] in _MEANINGS:
        yield _MEANINGS[report["exit"]]
    failed = any(
        phase["outcome"] == "failed"
        for test in report["tests"]
        for phase in test["phases"]
    )
    if report["exit"] in (0, 5) and failed:
        yield f"pytest left with {report['exit']} although a test failed"
    if report["exit"] == 1 and not failed:
        yield "pytest left with 1 although no test failed"


def evidence(job: Job, ended: Ended, limit_s: float) -> RunEvidence:
    """Return the evidence of a run, or the reason why it cannot be trusted."""
    if ended.over_limit:
        broken = (f"it was ended from outside after its limit of {limit_s:g} s",)
        return RunEvidence(
            broken=broken,
            stacks=ended.stacks,
            output=ended.output,
            duration_s=ended.duration_s,
        )
    report, missing = read(job, ended)
    if missing:
        last = [printable(it) for it in ended.output.splitlines() if it.strip()][-3:]
        return RunEvidence(
            broken=(missing, *last), output=ended.output, duration_s=ended.duration_s
        )
    errors = [f"{each['id']}: {each['text']}" for each in report["collect_errors"]]
    tests = [TestEvidence.from_json(test) for test in report["tests"]]
    return RunEvidence(
        broken=(*errors, *dict.fromkeys(doubts(report, ended.exit_code))),
        tests={test.id: test for test in tests},
        deselected=frozenset(report["deselected"]),
        collect_errors=tuple(errors),
        leaks=tuple(report["leaks"]),
        failures=tuple(report["failures"]),
        output=ended.output,
        duration_s=ended.duration_s,
        versions=report["versions"],
    )


def _left(exit_code: int) -> str:
    if exit_code >= 0:
        return f"left with {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"
