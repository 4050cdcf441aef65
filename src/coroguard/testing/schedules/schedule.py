"""The schedule of one run: every decision, and the result."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..._leaks.errors import CoroguardError
from ..._leaks.leak import labelled_lines
from .faults import STALL
from .policies import Policy, make, usage_error
from .tokens import Recipe, Script, Seed

if TYPE_CHECKING:
    from .faults import Fault, Handle, Task
    from .policies import Candidate

#: The clock for waiting: the one on the wall, or one that jumps where nothing but the
#: loop's own timers can end it.
Clock: TypeAlias = Literal["real", "virtual"]
_CLOCKS = ("real", "virtual")


class StuckError(CoroguardError, AssertionError):
    """A run that does not end: a livelock, a deadlock, or one that takes too long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that end a run of the loop that does not end by itself.

    Args:
        steps: The most steps.
        timeout_s: The most seconds.
        threads_wake: Whether a thread that was there before may end a wait.
    """

    steps: int = 250_000
    timeout_s: float = 30.0
    threads_wake: bool = True


@dataclass(frozen=True, slots=True)
class Swap:
    """A step that ran before another one that was ready earlier.

    Args:
        first: The name of its task, and the line where it went on.
        second: The same of the step that had to wait.
    """

    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first} ran before {self.second}"


class Schedule:
    """The decisions of one run, as its loops ask for them.

    Args:
        recipe: A seed, or the decisions themselves.
        faults: What may happen where a task waits, beside a stall of the machine.
        clock: How waiting passes.
        limits: What ends the run.
        explain: Whether to describe each swap, which takes time.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        faults: Sequence[Fault] = (),
        clock: Clock = "real",
        limits: Limits | None = None,
        explain: bool = False,
    ) -> None:
        self.recipe = recipe
        self.faults = (*faults, STALL)
        self.is_virtual = clock == "virtual"
        self.limits = limits or Limits()
        self.choices: dict[int, int] = {}
        self.injected: dict[int, int] = {}
        #: Swaps and faults, in order, described.
        self.events: list[Swap | str] = []
        #: The number of choices, of awaits at which a fault was possible,
        #: and of steps that were run.
        self.points = self.awaits = self.steps = 0
        #: The number of loops that ran by it, and of tasks that were ready in them.
        self.loops = self.tasks = 0
        #: Whether another thread made something ready. It may be there in the next run.
        self.was_woken = False
        #: Whether a choice was asked for that no longer existed.
        self.diverged = False
        self._explain = explain
        self._policy: Policy | None = None
        self._dice: Callable[[], float] | None = None
        if isinstance(recipe, Seed):
            self._policy = make(recipe.policy, recipe.number, recipe.length)
            if recipe.number:
                self._dice = random.Random(f"faults {recipe.number}").random

    @property
    def script(self) -> Script:
        """The decisions so far that are not asyncio's own."""
        return Script(dict(self.choices), dict(self.injected))

    def choose(
        self, candidates: Sequence[Candidate], name: Callable[[int], str]
    ) -> int:
        """Return the index of the step that is next.

        Args:
            candidates: The steps that may be, at least two.
            name: Describes one of them.
        """
        point, self.points = self.points, self.points + 1
        if self._policy is not None:
            index = self._policy.choose(candidates)
        else:
            index = self._scripted("choices", point)
            if index >= len(candidates):
                self.diverged, index = True, 0
        if index:
            self.choices[point] = index
            if self._explain:
                self.events.append(Swap(name(index), name(0)))
        return index

    def choose_fault(self, task: Task, handle: Handle) -> tuple[int, int] | None:
        """Return the number of this await and the fault that happens, if one does."""
        named = enumerate(self.faults)
        fitting = [index for index, fault in named if fault.fits(task, handle)]
        if not fitting:
            return None
        point, self.awaits = self.awaits, self.awaits + 1
        if self._dice is not None:
            dice = self._dice
            chosen = [it for it in fitting if dice() < self.faults[it].rate]
        else:
            chosen = [it for it in fitting if it == self._scripted("faults", point)]
        return (point, chosen[0]) if chosen else None

    def add_fault(self, point: int, index: int, name: str) -> None:
        """Note that a fault has happened."""
        self.injected[point] = index
        if self._explain:
            self.events.append(f"{self.faults[index].name} in {name}")

    def _scripted(self, kind: Literal["choices", "faults"], point: int) -> int:
        if not isinstance(self.recipe, Script):
            return 0 if kind == "choices" else -1
        if kind == "choices":
            return self.recipe.choices.get(point, 0)
        return self.recipe.faults.get(point, -1)

    def stuck(self, headline: str, **labelled: str) -> StuckError:
        """Return the error for a run that does not end."""
        return StuckError(labelled_lines(headline, **labelled))


def validate_clock(clock: object) -> Clock:
    """Return the name of a clock.

    Raises:
        GuardUsageError: It is not a clock.
    """
    for known in _CLOCKS:
        if clock == known:
            return "virtual" if known == "virtual" else "real"
    raise usage_error(f"clock={clock!r} is not real or virtual")
