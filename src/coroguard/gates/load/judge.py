"""The judgement of a run under load, from its report alone."""

# Imported by Locust's processes too, so it imports no library.

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..verdict import Judgement, Verdict
from .samples import NEVER

if TYPE_CHECKING:
    from .config import LoadConfig
    from .report import Fault, LoadReport
    from .samples import Bucket

Span: TypeAlias = tuple[float, float]


def judge(report: LoadReport, config: LoadConfig) -> Judgement:
    """Judge a run: FAILED before INCOMPLETE, PASSED only without any finding.

    Args:
        report: What the run left.
        config: What was asked for, and the limits.
    """
    asked = config.minimum.users or config.users
    lacking = [
        *evidence_lacking(
            report,
            users=asked,
            at_most=config.users,
            requests=config.minimum.requests,
        ),
        *_statistics_lacking(report, config),
    ]
    failed = [] if report.broken else [*_failed(report, config)]
    reasons = (*failed, *lacking)
    if failed:
        return Judgement(Verdict.FAILED, reasons)
    return Judgement(Verdict.INCOMPLETE if lacking else Verdict.PASSED, reasons)


def evidence_lacking(
    report: LoadReport, *, users: int, at_most: int, requests: int = 1
) -> Iterator[str]:
    """Yield why a run proves nothing, whatever its numbers are.

    Locust takes a worker that is silent for some seconds for lost, starts its users
    on the others, and keeps both when it answers again.
    """
    if report.broken:
        yield report.broken
        return
    if report.lost_workers:
        names = ", ".join(report.lost_workers)
        lost = f"{len(report.lost_workers)} of {report.workers} workers were lost"
        yield f"{lost}: {names}"
    for text, count in report.exceptions.items():
        yield f"the code of a user raised, {count} times: {text}"
    done = report.samples.total().requests
    if done < requests:
        yield f"{done} requests, at least {requests}"
    if report.users < users:
        yield f"{report.users} users, at least {users}"
    if report.users > at_most:
        twice = "a worker was too busy to answer, and its users were started twice"
        fix = "use more machines, or fewer users"
        yield f"{report.users} users where {at_most} were asked for: {twice}; {fix}"


def _statistics_lacking(report: LoadReport, config: LoadConfig) -> Iterator[str]:
    if report.broken:
        return
    for name, _ in config.limits:
        if not _of(report, name).requests:
            known = ", ".join(map(repr, report.samples.names)) or "none"
            yield f"no request is named {name!r}; the names are {known}"
    if config.metrics:
        metrics = report.metrics
        if metrics is None or metrics.leaks is None:
            why = metrics.problem if metrics else "they were not asked for"
            yield f"the leaks in the service's metrics are not known: {why}"
    if len(report.faults) < len(config.faults):
        yield f"{len(report.faults)} faults, at least {len(config.faults)}"
    for fault in report.faults:
        if fault.error:
            yield f"the fault {fault.name!r} could not be injected: {fault.error}"
        elif not _after(report, fault, config).requests:
            yield f"no request was made after the fault {fault.name!r} and its recovery"
    if (
        report.faults
        and not report.samples.total(within=quiet(report, config)).requests
    ):
        yield "no request was made outside the faults"


def _failed(report: LoadReport, config: LoadConfig) -> Iterator[str]:
    for error, count in report.samples.total().errors.items():
        if error.partition(":")[0] in NEVER:
            yield f"{count} times {error}"
    spans = quiet(report, config)
    total = report.samples.total(within=spans)
    rate = total.error_rate
    if rate is not None and rate > config.error_rate:
        worst = "; ".join(
            f"{n} times {text}" for text, n in total.errors.most_common(2)
        )
        yield f"{rate:.2%} errors, at most {config.error_rate:.2%}: {worst}"
    for (name, percent), limit in config.limits.items():
        found = _of(report, name, spans).percentile(percent)
        if found is not None and found > limit:
            yield f"{name} p{percent} {found} ms, at most {limit:g} ms"
    for fault in report.faults:
        after = _after(report, fault, config)
        if (after.error_rate or 0) > config.error_rate:
            worst = after.errors.most_common(1)[0][0]
            late = f"{config.recovery_s:g} s after {fault.name!r} was over"
            yield f"{late} still {after.error_rate:.2%} errors: {worst}"
    if report.metrics and (report.metrics.leaks or 0) > config.leaks:
        leaks = report.metrics.leaks
        yield f"{leaks} coroutines leaked in the service, at most {config.leaks}"


def quiet(report: LoadReport, config: LoadConfig) -> list[Span]:
    """Return the spans of the run in which no fault excuses an error or a delay."""
    spans: list[Span] = []
    begin = float("-inf")
    for fault in sorted(report.faults, key=lambda fault: fault.began_s):
        # A request that was under way when the fault began ends in it.
        spans.append((begin, report.started + fault.began_s - 1))
        begin = max(begin, report.started + fault.ended_s + config.recovery_s)
    return [*spans, (begin, float("inf"))]


def _after(report: LoadReport, fault: Fault, config: LoadConfig) -> Bucket:
    """Return the requests from the recovery after a fault up to the next fault."""
    begin = report.started + fault.ended_s + config.recovery_s
    later = [it.began_s for it in report.faults if it.began_s > fault.began_s]
    end = report.started + min(later) - 1 if later else float("inf")
    return report.samples.total(within=[(begin, end)])


def _of(report: LoadReport, name: str, within: list[Span] | None = None) -> Bucket:
    return report.samples.total("" if name == "*" else name, within)
