"""Step 7: the cost of the guard in a service that is healthy."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import httpx

from coroguard.demo.client import ChatClient, answered, connect_all
from coroguard.demo.story.evidence import Claim, equal

if TYPE_CHECKING:
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.story.screen import Screen

T = TypeVar("T")

_BUDGET_S = 4.0
_LEAST_ROUNDS = 4
_MOST_ROUNDS = 40
_TURNS = 2
_CHECKS = 3


async def run(
    off: PythonService, on: PythonService, tokens: Sequence[str], screen: Screen
) -> list[Claim]:
    """Measure both services in turns, in an order that favours neither."""
    rates: dict[str, list[float]] = {"off": [], "enforce": []}
    checks_ms: dict[str, list[float]] = {"off": [], "enforce": []}
    count = 0
    async with (
        connect_all(off.url, tokens) as users_off,
        connect_all(on.url, tokens) as users_on,
    ):
        pair = [("off", off, users_off), ("enforce", on, users_on)]
        for _mode, service, users in pair:
            await _turns_per_s(users)  # a warm-up that does not count
            await _health_ms(service)
        for mode, service, users in _interleaved(pair):
            rate, done = await _turns_per_s(users)
            rates[mode].append(rate)
            count += done
            checks_ms[mode].append(await _health_ms(service))
    rounds, turns = len(rates["off"]), _TURNS * len(tokens)
    screen.table(
        ("", "off", "enforce", "enforce / off, by round"),
        [
            _row("chat turns per second", rates, "{:.0f}"),
            _row("GET /health, ms", checks_ms, "{:.2f}"),
        ],
    )
    screen.note(
        f"median (lowest to highest) of {rounds} rounds, each of {turns} turns and "
        f"{_CHECKS} health checks"
    )
    expected = 2 * rounds * turns
    enough = rounds >= _LEAST_ROUNDS
    return [
        equal(f"all {expected} turns were answered", count, expected),
        equal(f"at least {_LEAST_ROUNDS} rounds were run", enough, True),
    ]


def _interleaved(pair: Sequence[T]) -> Iterator[T]:
    """Yield both in turn until the time for it is spent.

    Each round swaps their order, so that drift affects both alike.
    """
    until = time.perf_counter() + _BUDGET_S
    for number in range(_MOST_ROUNDS):
        if number >= _LEAST_ROUNDS and time.perf_counter() > until:
            return
        yield from pair if number % 2 == 0 else reversed(pair)


async def _turns_per_s(users: Sequence[ChatClient]) -> tuple[float, int]:
    async def chat(user: ChatClient) -> int:
        return sum([answered(await user.ask("and what else?")) for _ in range(_TURNS)])

    started = time.perf_counter()
    count = sum(await asyncio.gather(*map(chat, users)))
    return count / (time.perf_counter() - started), count


async def _health_ms(service: PythonService) -> float:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
        await client.get(service.url + "/health")
        started = time.perf_counter()
        for _ in range(_CHECKS):
            answer = await client.get(service.url + "/health")
            answer.raise_for_status()
    return (time.perf_counter() - started) / _CHECKS * 1000


def _row(name: str, found: dict[str, list[float]], form: str) -> tuple[str, ...]:
    ratios = [on / off for off, on in zip(found["off"], found["enforce"], strict=True)]
    return (
        name,
        _spread(found["off"], form),
        _spread(found["enforce"], form),
        _spread(ratios, "{:.3f}"),
    )


def _spread(numbers: list[float], form: str) -> str:
    low, high = form.format(min(numbers)), form.format(max(numbers))
    return f"{form.format(statistics.median(numbers))} ({low} to {high})"
