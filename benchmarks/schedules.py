"""Schedules per second, beside the same program in asyncio's own order."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.table import Section, duration
from benchmarks.timing import Call, best_of, ratio
from coroguard.testing.schedules.loop import scheduled
from coroguard.testing.schedules.schedule import Schedule
from coroguard.testing.schedules.tokens import Seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.timing import Effort

_TASKS = 6
_BARE = "asyncio.run, without a schedule"
_POLICIES = ("jitter", "random", "pct")


def measure_schedules(effort: Effort) -> Section:
    """Time a run of six tasks that share a lock, by each policy."""
    calls = {_BARE: Call(_bare), "seed 0": Call(_by("jitter", first=0, step=0))}
    for policy in _POLICIES:
        calls[policy] = Call(_by(policy, first=1, step=1))
    best = best_of(calls, effort)
    return Section(
        f"Schedules of {_TASKS} tasks, without sockets",
        ("a run by", "time", "x bare", "runs per second"),
        [
            (
                name,
                duration(took),
                f"{ratio(best, name, _BARE):.2f} x",
                f"{1 / took:,.0f}",
            )
            for name, took in best.items()
        ],
    )


def _bare() -> None:
    asyncio.run(_program())


def _by(policy: str, *, first: int, step: int) -> Callable[[], None]:
    seeds = count(first, step)

    def run() -> None:
        with scheduled(Schedule(Seed(policy, next(seeds), length=40))):
            _bare()

    return run


async def _program() -> None:
    lock, total = asyncio.Lock(), [0]

    async def add(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        async with lock:
            before = total[0]
            await asyncio.sleep(0)
            total[0] = before + 1

    await asyncio.gather(*map(add, range(_TASKS)))
    assert total[0] == _TASKS
