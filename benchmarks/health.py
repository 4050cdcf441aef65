"""The cost of collecting checks into a report, and of the answer to a probe."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.table import Section, Target, per_call
from benchmarks.timing import Call, best_of
from coroguard.health import HealthChecks, acollect, health_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.timing import Effort
    from coroguard import HealthReport

__all__ = ["measure_health"]

_AT_ONCE = 20
_LIMIT_US = 300
_COLLECTED, _BY_HAND = "acollect, five async checks", "gather and wait_for, by hand"
_REMEMBERED, _ANSWER = "HealthChecks, remembered", "health_response of a report"


async def _check() -> bool:
    return True


_CHECKS = dict.fromkeys(("database", "redis", "auth", "mail", "disk"), _check)


async def _by_hand() -> dict[str, str]:
    """Run the checks under deadlines that a client may overrun, without a report."""
    answers = await asyncio.gather(
        *(asyncio.wait_for(check(), 0.8) for check in _CHECKS.values()),
        return_exceptions=True,
    )
    return {
        name: "healthy" if answer is True else "failed"
        for name, answer in zip(_CHECKS, answers, strict=True)
    }


def measure_health(effort: Effort) -> Section:
    """Time a round of five checks in a running loop, and what follows from it."""
    loop = asyncio.new_event_loop()
    try:
        report = loop.run_until_complete(acollect(_CHECKS))
        remembered = HealthChecks(_CHECKS, memory_s=3_600)
        calls = {
            _COLLECTED: partial(acollect, _CHECKS),
            _BY_HAND: _by_hand,
            _REMEMBERED: remembered.acollect,
        }
        best = best_of(
            {name: Call(_many, (loop, call)) for name, call in calls.items()}, effort
        )
        best = {name: took / _AT_ONCE for name, took in best.items()}
        best |= best_of({_ANSWER: Call(_respond, (report,))}, effort)
    finally:
        loop.close()
    target = Target(_COLLECTED, best[_COLLECTED] * 1e6, _LIMIT_US, unit=" µs")
    return Section(
        "Five checks collected into a report",
        ("call", "time", "x by hand"),
        per_call(best, _BY_HAND),
        [target],
        (
            "Processor time of the loop's thread. A sync check has a thread of its own "
            "in addition. By hand there is no report, and no leak is seen.",
        ),
    )


def _many(loop: asyncio.AbstractEventLoop, call: Callable[[], Awaitable[Any]]) -> None:
    async def run() -> None:
        for _ in range(_AT_ONCE):
            await call()

    loop.run_until_complete(run())


def _respond(report: HealthReport) -> None:
    health_response(report)
