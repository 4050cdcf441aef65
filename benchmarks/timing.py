"""The time that one call takes.

Everything that is compared runs in rounds that take turns, so that a busy moment
of the machine hits all alike, and the best round of each counts: what disturbs a
measurement only ever adds to it.
"""

from __future__ import annotations

import gc
import itertools
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["FULL", "SMOKE", "Call", "Effort", "best_of", "on_one_core", "ratio"]

# Written out in a row, so that the loop itself is a small part of what is timed.
_UNROLLED = 10
_TIMER = """
{a}def timer(iterations, call, {names}):
    started = now()
    for _ in iterations:
        {calls}
    return now() - started
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time to spend.

    Args:
        rounds: How often each subject has its turn.
        round_s: Seconds that one turn takes, about.
        processes: Fresh interpreters for each import that is timed.
        sizes: Numbers of components to grow a report through.
        nodes: Nodes of the wide value, and ten times the depth of the deep one.
        messages: Messages of one round over real sockets.
        socket_rounds: Rounds over real sockets, for each mode.
        chat: Whether to start the chat service with its databases.
        packages: Whether to run the suites of whole packages.
    """

    rounds: int
    round_s: float
    processes: int
    sizes: tuple[int, ...]
    nodes: int
    messages: int
    socket_rounds: int
    chat: bool
    packages: bool


FULL = Effort(
    rounds=25,
    round_s=0.01,
    processes=15,
    sizes=(10, 100, 1_000, 10_000, 100_000),
    nodes=1_000_000,
    messages=1_000,
    socket_rounds=30,
    chat=True,
    packages=True,
)
SMOKE = Effort(
    rounds=1,
    round_s=0.0001,
    processes=1,
    sizes=(10, 100),
    nodes=1_000,
    messages=10,
    socket_rounds=1,
    chat=False,
    packages=False,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to be timed.

    Args:
        function: What is called.
        arguments: With what, by position.
        is_async: Await it. It must not suspend: no event loop is in the way.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    is_async: bool = False


def best_of(calls: Mapping[str, Call], effort: Effort) -> dict[str, float]:
    """Return the seconds that one call of each takes, in its best round.

    A call that is longer than a round is made one at a time, and less often.
    """
    subjects = {name: _Subject(call, effort.round_s) for name, call in calls.items()}
    names = list(subjects)
    enough_s = effort.rounds * effort.round_s * 4
    with _no_collection():
        for turn in range(effort.rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                if turn < 3 or subjects[name].spent_s < enough_s:
                    subjects[name].take_turn()
    return {name: subject.best_s for name, subject in subjects.items()}


def ratio(best: Mapping[str, float], name: str, reference: str) -> float:
    """Return how many times the reference's time another one takes."""
    return best[name] / best[reference]


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can: the last it may use."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class _Subject:
    """One call in the race: how many fill a round, and its best one so far."""

    def __init__(self, call: Call, round_s: float) -> None:
        self.best_s = float("inf")
        self.spent_s = 0.0
        self._timer = _timer(call, 1)
        self._calls_each = 1
        self._count = 1
        if self._timer(1) < round_s:
            self._timer = _timer(call, _UNROLLED)
            self._calls_each = _UNROLLED
            self._count = _count(self._timer, round_s)

    def take_turn(self) -> None:
        took = self._timer(self._count)
        self.spent_s += took
        self.best_s = min(self.best_s, took / (self._count * self._calls_each))


def _timer(call: Call, unrolled: int) -> Callable[[int], float]:
    """Compile a loop for one call alone: its caches know no other function."""
    names = [f"argument_{index}" for index in range(len(call.arguments))]
    awaits = "await " if call.is_async else ""
    source = _TIMER.format(
        a="async " if call.is_async else "",
        names=", ".join(names),
        calls="; ".join([f"{awaits}call({', '.join(names)})"] * unrolled),
    )
    namespace: dict[str, Any] = {"now": time.thread_time}
    exec(compile(source, __file__, "exec"), namespace)
    timer = namespace["timer"]

    def run(count: int) -> float:
        took = timer(itertools.repeat(None, count), call.function, *call.arguments)
        return _finish(took) if call.is_async else float(took)

    return run


def _finish(coroutine: Any) -> float:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return float(finished.value)
    raise RuntimeError("a timed coroutine was suspended")


def _count(timer: Callable[[int], float], round_s: float) -> int:
    """Return how many iterations fill a round; warms the caches up, too."""
    count = 1
    while (took := timer(count)) < round_s / 2:
        count *= 2
    return max(1, round(count * round_s / took))


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
