"""Running a function by many schedules, and replaying one of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..._leaks.errors import GuardUsageError
from ..._leaks.leak import labelled_lines
from .exploration import Plan, first_run, search, shrink, whole_number
from .loop import scheduled
from .policies import usage_error
from .schedule import StuckError
from .tokens import decode, encode

if TYPE_CHECKING:
    from .exploration import Cause, Search
    from .faults import Fault
    from .schedule import Clock, Schedule, Swap

#: A function without parameters: a coroutine function, or one that runs loops itself.
Test: TypeAlias = "Callable[[], Any]"

_MOST_EVENTS = 6


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed, and how to have it again.

    Args:
        error: What failed.
        token: Replays it.
        seed: Its seed; 0 is asyncio's own order.
        events: Which steps had to swap, and which faults had to happen, in order.
        decisions: How many decisions the run needs, of ``made``; both are 0 in
            asyncio's own order.
        made: How many decisions the seed made that were not asyncio's own.
    """

    error: BaseException
    token: str
    seed: int
    events: tuple[Swap | str, ...] = ()
    decisions: int = 0
    made: int = 0

    def __str__(self) -> str:
        return describe_failure(self)


@dataclass(frozen=True, slots=True)
class Exploration:
    """The outcome of a function under many schedules.

    Args:
        runs: How many were run.
        different: How many of them differed in a decision.
        points: The most choices of one run; 0 means that there was one order only.
        failure: The first failure; ``None`` where every run passed.
    """

    runs: int
    different: int
    points: int
    failure: Failure | None = None

    def check(self) -> None:
        """Raise the error of the failure, if there is one, with a note about it."""
        if self.failure is not None:
            self.failure.error.add_note(str(self.failure))
            raise self.failure.error


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome of a function when one run of it was repeated.

    Args:
        runs: How often it was run.
        reproduced: How many of these failed.
        error: What failed the last time; ``None`` where nothing did.
        diverged: Whether a run came to a place that the token does not fit, as after
            a change of the code.
    """

    runs: int
    reproduced: int
    error: BaseException | None = None
    diverged: bool = False

    def __str__(self) -> str:
        changed = "; the code has other choices now" if self.diverged else ""
        return f"reproduced {self.reproduced} of {self.runs}{changed}"


def explore(
    test: Test,
    *,
    runs: int = 200,
    policy: str = "jitter",
    seed: int = 0,
    faults: Sequence[Fault] = (),
    clock: Clock = "real",
    max_steps: int | None = None,
    timeout_s: float = 30.0,
    shrinks: bool = True,
) -> Exploration:
    """Run a function by many schedules, until one fails.

    A run fails by an exception of the function, by one that a task or a callback
    raised and nothing retrieved, and where it does not end.

    Args:
        test: Is called anew for each run: a coroutine function, or a function that
            runs loops of asyncio itself.
        runs: How many schedules; the first one is asyncio's own order.
        policy: ``jitter``, ``random``, ``pct``, or PCT with its depth: ``pct5``.
        seed: The first seed.
        faults: What a seed may inject where a task waits.
        clock: ``real``, or ``virtual`` to skip waits that only the loop's timers end.
        max_steps: The most steps of one run; ``None`` means a hundred times those of
            asyncio's own order, and at least 100,000.
        timeout_s: The most seconds that one run takes.
        shrinks: Whether to look for the least decisions that a failure needs.

    Raises:
        GuardUsageError: A value is out of its range, a loop is not one of asyncio's,
            or the function ran no loop at all.
    """
    plan = Plan(
        runs=runs,
        policy=policy,
        seed=seed,
        faults=faults,
        clock=clock,
        max_steps=max_steps,
        timeout_s=timeout_s,
    )
    attempt = _attempt(test)
    found = search(plan, attempt)
    if found.failed is None and not found.loops:
        raise usage_error(NO_LOOP)
    failure = None
    if found.failed is not None:
        cause = shrink(found, attempt, most_runs=300 if shrinks else 0)
        failure = failure_of(found, cause)
    return Exploration(found.runs, len(found.different), found.points, failure)


def replay(
    test: Test,
    token: str,
    *,
    runs: int = 5,
    faults: Sequence[Fault] = (),
    clock: Clock = "real",
    max_steps: int | None = None,
    timeout_s: float = 30.0,
) -> Replay:
    """Run a function by the schedule of a token, a few times.

    Without sockets, threads and timers, every run is the same. With them the machine
    takes part, and some runs may not fail.

    Args:
        test: The function, as for `explore`.
        token: The token that the failure printed.
        runs: How often.
        faults: The same as for `explore`.
        clock: The same as for `explore`.
        max_steps: The most steps of one run; ``None`` means as for
            `explore`.
        timeout_s: The most seconds that one run takes.

    Raises:
        GuardUsageError: The token is malformed, or a value is out of its range.
    """
    recipe, _ = decode(token)
    whole_number("runs", runs, least=1)
    plan = Plan(faults=faults, clock=clock, max_steps=max_steps, timeout_s=timeout_s)
    attempt = _attempt(test)
    first = first_run(plan, attempt)
    errors: list[BaseException] = []
    diverged = False
    for _ in range(runs):
        schedule = first.schedule(recipe)
        error = attempt(schedule)
        diverged = diverged or schedule.diverged
        if error is not None:
            errors.append(error)
    return Replay(runs, len(errors), errors[-1] if errors else None, diverged)


NO_LOOP = (
    "no loop of asyncio ran in this thread, so there was nothing to schedule: it is "
    "sync, or runs on uvloop or trio; run it on asyncio's own loop"
)


def failure_of(found: Search, cause: Cause, test: str = "") -> Failure:
    """Return the failure of a search."""
    failed, error = found.failed, found.error
    assert failed is not None
    assert error is not None
    script = failed.script
    is_shrunk = cause.recipe is not failed.recipe
    return Failure(
        error,
        encode(cause.recipe, test),
        found.plan.seed + found.runs - 1,
        cause.events,
        len(cause.recipe) if is_shrunk else len(script),  # type: ignore[arg-type]
        len(script),
    )


def describe_failure(failure: Failure, command: str = "") -> str:
    """Return a headline and labelled lines.

    Args:
        failure: The failure.
        command: Replays it; by default the call of `replay`.
    """
    headline = f"failed in the schedule of seed {failure.seed}"
    needs = f"{failure.decisions} of the {failure.made} decisions of the seed"
    if not failure.made:
        return "failed in asyncio's own order, so no schedule is needed"
    events = list(dict.fromkeys(map(str, failure.events)))
    if len(events) > _MOST_EVENTS:
        events[_MOST_EVENTS:] = [f"and {len(events) - _MOST_EVENTS} more"]
    return labelled_lines(
        headline,
        needs=needs,
        swap="\n            ".join(events),
        replay=command or f"replay(..., {failure.token!r})",
    )


def _attempt(test: Test) -> Callable[[Schedule], BaseException | None]:
    """Return a function that runs a test by a schedule and returns its error.

    Raises:
        GuardUsageError: The test cannot be called, or a loop runs here.
    """
    if not callable(test):
        raise usage_error(
            f"{test!r} is not a function; pass the coroutine function itself, which is "
            "called anew for each run"
        )
    if asyncio._get_running_loop() is not None:
        raise usage_error(
            "a loop runs in this thread already, and each run needs one of its own; "
            "call this from sync code, or with asyncio.to_thread"
        )

    def attempt(schedule: Schedule) -> BaseException | None:
        unhandled: list[dict[str, Any]] = []
        try:
            with scheduled(schedule):
                result = test()
                if inspect.isawaitable(result):
                    _run(result, unhandled)
        except GuardUsageError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            return error
        return _first(unhandled)

    return attempt


def _run(awaitable: Any, unhandled: list[dict[str, Any]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        await awaitable

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())


def _first(unhandled: list[dict[str, Any]]) -> BaseException | None:
    """Return the first exception that nothing retrieved.

    A cancellation is not one: a server's tasks are cancelled when its loop is closed,
    and asyncio's streams of Python 3.11 report that.
    """
    for context in unhandled:
        found: BaseException | None = context.get("exception")
        if not isinstance(found, asyncio.CancelledError):
            return found or StuckError(context["message"])
    return None
