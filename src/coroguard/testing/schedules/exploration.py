"""The search for a schedule that fails, and for the least that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from .faults import Fault, positive
from .policies import usage_error, validate
from .schedule import Limits, Schedule, Swap, validate_clock
from .tokens import Recipe, Script, Seed

if TYPE_CHECKING:
    from .schedule import Clock

#: Runs once by a schedule, and returns what failed.
Attempt: TypeAlias = "Callable[[Schedule], BaseException | None]"

#: A run may have this many times the steps that asyncio's own order needed.
_STEPS_FACTOR = 100
_LEAST_STEPS = 100_000
_MOST_SHRINKING_RUNS = 300
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The choice of schedules to run.

    Args:
        runs: How many. The first one is asyncio's own order.
        policy: ``jitter``, ``random``, ``pct``, or PCT with its depth: ``pct5``.
        seed: The first seed.
        faults: What a seed may inject where a task waits.
        clock: ``real``, or ``virtual`` to skip waits that only the loop's timers end.
        max_steps: The most steps of one run of a loop; ``None`` means a hundred times
            those of asyncio's own order, and at least 100,000.
        timeout_s: The most seconds that one run of a loop takes.

    Raises:
        GuardUsageError: A value is out of its range.
    """

    runs: int = 200
    policy: str = "jitter"
    seed: int = 0
    faults: Sequence[Fault] = ()
    clock: Clock = "real"
    max_steps: int | None = None
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        whole_number("runs", self.runs, least=1)
        whole_number("seed", self.seed, least=0)
        if self.max_steps is not None:
            whole_number("max_steps", self.max_steps, least=1)
        positive("timeout_s", self.timeout_s)
        validate(self.policy)
        validate_clock(self.clock)
        object.__setattr__(self, "faults", _faults(self.faults))

    def schedule(
        self,
        recipe: Recipe,
        *,
        steps: int = 0,
        threads_wake: bool = True,
        explain: bool = False,
    ) -> Schedule:
        """Return a schedule.

        Args:
            recipe: Its decisions.
            steps: The steps of the first run; 0 before that.
            threads_wake: Whether a thread that was there before may end a wait.
            explain: Whether it describes what it swaps.
        """
        limits = Limits(timeout_s=self.timeout_s, threads_wake=threads_wake)
        if self.max_steps is not None:
            limits = replace(limits, steps=self.max_steps)
        elif steps:
            limits = replace(limits, steps=max(_LEAST_STEPS, _STEPS_FACTOR * steps))
        return Schedule(
            recipe,
            faults=self.faults,
            clock=self.clock,
            limits=limits,
            explain=explain,
        )


def whole_number(name: str, value: object, *, least: int) -> int:
    """Return a value that is a whole number.

    Raises:
        GuardUsageError: It is not, or it is too small.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise usage_error(f"{name}={value!r} is not a whole number from {least} up")
    return value


def _faults(faults: object) -> tuple[Fault, ...]:
    found: tuple[object, ...] = (
        tuple(faults) if isinstance(faults, Iterable) else (faults,)
    )
    for it in found:
        if not isinstance(it, Fault):
            raise usage_error(
                f"{it!r} is not a fault; make one with delays, cancellations or "
                "exceptions"
            )
    return found  # type: ignore[return-value]


@dataclass(slots=True)
class Search:
    """The runs so far, and their findings.

    Args:
        plan: Which schedules to run.
        runs: How many were run.
        different: The decisions of each, so that the same ones count once.
        points: The most choices of one of them.
        loops: The most loops that ran in one of them.
        steps: The steps of the first run.
        threads_wake: Whether a thread that was there before may end a wait: one made
            something ready in the first run, or this is the first.
        failed: The first run that failed.
        error: What failed.
    """

    plan: Plan
    runs: int = 0
    different: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])
    points: int = 0
    loops: int = 0
    steps: int = 0
    threads_wake: bool = True
    failed: Schedule | None = None
    error: BaseException | None = None

    def schedules(self) -> Iterator[Schedule]:
        """Yield each schedule of the plan, until one of them has failed."""
        length = 0
        for seed in range(self.plan.seed, self.plan.seed + self.plan.runs):
            if self.failed is not None:
                return
            recipe = Seed(self.plan.policy, seed, length)
            yield self.schedule(recipe)
            length = length or self.points

    def schedule(self, recipe: Recipe, *, explain: bool = False) -> Schedule:
        """Return a schedule with the limits that the first run showed."""
        return self.plan.schedule(
            recipe, steps=self.steps, threads_wake=self.threads_wake, explain=explain
        )

    def add(self, schedule: Schedule, error: BaseException | None) -> None:
        """Note how a run ended."""
        if not self.runs:
            self.steps, self.threads_wake = schedule.steps, schedule.was_woken
        self.runs += 1
        self.points = max(self.points, schedule.points)
        self.loops = max(self.loops, schedule.loops)
        script = schedule.script
        self.different.add((*script.choices.items(), None, *script.faults.items()))
        if error is not None:
            self.failed, self.error = schedule, error


def first_run(plan: Plan, attempt: Attempt) -> Search:
    """Run once in asyncio's own order, whose limits a replay has."""
    found = Search(plan)
    schedule = found.schedule(Seed(plan.policy, 0))
    attempt(schedule)
    found.add(schedule, None)
    return found


def search(plan: Plan, attempt: Attempt) -> Search:
    """Run the schedules of a plan until one fails."""
    found = Search(plan)
    for schedule in found.schedules():
        found.add(schedule, attempt(schedule))
    return found


@dataclass(frozen=True, slots=True)
class Cause:
    """The least that a failure needs.

    Args:
        recipe: The decisions to replay.
        events: The swaps and faults among them, described, in order.
        runs: How many runs it took to find them.
    """

    recipe: Recipe
    events: tuple[Swap | str, ...] = ()
    runs: int = 0


def shrink(
    search: Search, attempt: Attempt, *, most_runs: int = _MOST_SHRINKING_RUNS
) -> Cause:
    """Take away every decision that the failure of a search does not need."""
    failed, error = search.failed, search.error
    assert failed is not None
    shrinking = _Shrinking(search, attempt, type(error), most_runs)
    # With I/O, the machine may not take part the first time.
    again = (shrinking.fails(failed.script) for _ in range(_TRIES))
    if not failed.script or not any(again):
        return Cause(failed.recipe, runs=shrinking.runs)
    script = shrinking.least(shrinking.last or failed.script)
    explained = search.schedule(script, explain=True)
    reproduced = type(attempt(explained)) is type(error)
    events = tuple(explained.events) if reproduced else ()
    return Cause(script, events, shrinking.runs + 1)


class _Shrinking:
    """Delta debugging of a script. Source: Zeller, "Yesterday, my program worked"."""

    def __init__(
        self,
        search: Search,
        attempt: Attempt,
        kind: type[BaseException | None],
        most_runs: int,
    ) -> None:
        self._search = search
        self._attempt = attempt
        self._kind = kind
        self._left = most_runs
        self.runs = 0
        #: The decisions of the latest run that failed.
        self.last: Script | None = None

    def fails(self, script: Script) -> bool:
        """Return whether a run by these decisions fails in the same way."""
        if self._left <= 0:
            return False
        self._left -= 1
        self.runs += 1
        schedule = self._search.schedule(script)
        if type(self._attempt(schedule)) is not self._kind:
            return False
        self.last = schedule.script
        return True

    def least(self, script: Script) -> Script:
        """Remove decisions in blocks, from large to small; then make swaps near."""
        size = len(script)
        while size:
            start = 0
            while start < len(script):
                shorter = _without(script, start, size)
                if self.fails(shorter):
                    script = self.last or shorter
                else:
                    start += size
            size //= 2
        for point in list(script.choices):
            if script.choices.get(point, 1) > 1:
                nearer = Script({**script.choices, point: 1}, script.faults)
                if self.fails(nearer):
                    script = self.last or nearer
        return script


def _without(script: Script, start: int, size: int) -> Script:
    """Return a script without some of its decisions."""
    kept = [
        *(("c", it) for it in script.choices.items()),
        *(("f", it) for it in script.faults.items()),
    ]
    del kept[start : start + size]
    return Script(
        dict(it for kind, it in kept if kind == "c"),
        dict(it for kind, it in kept if kind == "f"),
    )
