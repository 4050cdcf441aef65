"""Policies: the order in which ready tasks step, as a function of a seed."""

# Only `Random.random` is used: it alone returns the same numbers on every Python.

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from ..._inspect.texts import nearest
from ..._leaks.errors import GuardUsageError

usage_error = partial(GuardUsageError, code="CG232")
#: The task number of a plain callback.
CALLBACK = 0
_PCT_DEPTH = 3
_LONGEST_DELAY = 60


class Candidate(NamedTuple):
    """A step that may be next.

    Args:
        position: Its position in the ready queue.
        task: The number of its task, in the order in which tasks were first ready;
            0 for a plain callback, which nothing behind it may overtake.
    """

    position: int
    task: int


class Policy(Protocol):
    """A choice among the steps that may be next."""

    def choose(self, candidates: Sequence[Candidate]) -> int:
        """Return the index of the next step; 0 is asyncio's own order.

        Args:
            candidates: At least two, in asyncio's order.
        """
        ...


class Fifo:
    """Asyncio's own order."""

    def choose(self, candidates: Sequence[Candidate]) -> int:  # noqa: ARG002
        """Return 0."""
        return 0


class Jitter:
    """Delay some steps by a few turns, as a busy machine or a slow peer does.

    Seeds differ in how often they delay. The order of steps that are not delayed
    stays asyncio's.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"jitter {seed}").random
        self._rate = 0.05 * 12 ** self._random()
        self._delays: dict[int, int] = {}

    def choose(self, candidates: Sequence[Candidate]) -> int:
        """Return the first step whose delay is over."""
        delays = self._delays
        for index, candidate in enumerate(candidates):
            task = candidate.task
            left = delays.get(task)
            if left is None:
                left = self._delay() if task else 0
            if not left:
                delays.pop(task, None)
                return index
            delays[task] = left - 1
        delays.pop(candidates[0].task)
        return 0

    def _delay(self) -> int:
        if self._random() >= self._rate:
            return 0
        return int(_LONGEST_DELAY ** self._random())


class Uniform:
    """Choose any step with the same probability."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"random {seed}").random

    def choose(self, candidates: Sequence[Candidate]) -> int:
        """Return the index of any step."""
        return int(self._random() * len(candidates))


class Pct:
    """Choose the task of the highest priority, and change few priorities.

    With n tasks and k choices, one run finds a bug that needs d ordered steps with
    a probability of at least 1 / (n * k ** (d - 1)).

    Source: Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees
    of Finding Bugs", ASPLOS 2010.

    Args:
        seed: The seed.
        depth: d, of which d - 1 changes of priority follow.
        length: k, the choices that a run is expected to have.
    """

    def __init__(self, seed: int, *, depth: int, length: int) -> None:
        self._random = random.Random(f"pct {seed}").random
        self._priorities: dict[int, float] = {}
        self._changes = sorted(
            int(self._random() * max(length, 1)) for _ in range(depth - 1)
        )
        self._count = 0

    def choose(self, candidates: Sequence[Candidate]) -> int:
        """Return the step of the task with the highest priority."""
        for candidate in candidates:
            if candidate.task not in self._priorities:
                self._priorities[candidate.task] = self._random()
        best = self._best(candidates)
        while self._changes and self._changes[0] <= self._count:
            self._priorities[candidates[best].task] = -1.0 / len(self._changes)
            self._changes.pop(0)
            best = self._best(candidates)
        self._count += 1
        return best

    def _best(self, candidates: Sequence[Candidate]) -> int:
        ranks = [self._priorities[candidate.task] for candidate in candidates]
        return ranks.index(max(ranks))


def make(name: str, seed: int, length: int) -> Policy:
    """Make the policy of a seed; that of seed 0 is asyncio's own order.

    Args:
        name: ``jitter``, ``random`` or ``pct``; ``pct5`` is PCT of depth 5.
        seed: The seed.
        length: The choices of a run in asyncio's own order.

    Raises:
        GuardUsageError: The name is not a policy.
    """
    build = _builder(name)
    return build(seed, length) if seed else Fifo()


def validate(name: object) -> str:
    """Return the name of a policy.

    Raises:
        GuardUsageError: It is not a policy.
    """
    _builder(name)
    return str(name)


def _builder(name: object) -> Callable[[int, int], Policy]:
    match name:
        case "jitter":
            return lambda seed, _: Jitter(seed)
        case "random":
            return lambda seed, _: Uniform(seed)
        case str(word) if word.startswith("pct"):
            depth = word.removeprefix("pct") or str(_PCT_DEPTH)
            if depth.isascii() and depth.isdigit() and 1 <= int(depth) <= 99:
                return lambda seed, k: Pct(seed, depth=int(depth), length=k)
        case _:
            pass
    hint = nearest(name, ("jitter", "random", "pct")) if isinstance(name, str) else ""
    raise usage_error(
        f"{name!r} is not a policy; use jitter, random, pct, or pct with a depth "
        f"from 1 to 99, such as pct5.{hint}"
    )
