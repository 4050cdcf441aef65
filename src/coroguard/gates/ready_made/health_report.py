"""Gate 1: the health check always returns a report of the right shape."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

from coroguard._inspect.callables import is_async, is_guarded
from coroguard._leaks.errors import (
    CoroguardError,
    CoroutineLeakError,
    NotAwaitableError,
)
from coroguard._leaks.explain import explain
from coroguard.report.check import check_report
from coroguard.testing import collide

from .findings import Findings, usage_error
from .leaks import reported_leaks

if TYPE_CHECKING:
    from ..record import GateRecord

_GATE = "health report type guarantee"
_SEEDED_CALLS = 20


def health_report_gate(
    record: GateRecord,
    check: Callable[..., Any],
    *,
    scenarios: Mapping[str, tuple[Any, ...]],
    outages: Mapping[str, Callable[[], AbstractContextManager[object]]] | None = None,
    collides_at: str = "",
    users: int = 50,
    seed: int = 0,
    awaited: bool | None = None,
) -> None:
    """Call a guarded health check, sync or async, through outages and collisions.

    Every scenario is called with every combination of components down, by many
    callers at once, and with the name of the check colliding at seeded moments. The
    check has to return a report of the right shape which names exactly the components
    that are down; in a collision it may raise the error of a leak instead.

    Args:
        record: Where the gate records what it did.
        check: The guarded check, as the application calls it.
        scenarios: The arguments of a call, by the name of the scenario.
        outages: Context managers that take a component down, by the name that the
            report gives to the component.
        collides_at: `package.module:function`, the name that `check` looks up and
            that is replaced by a function of the other colour; empty means no
            collisions.
        users: How many call at once.
        seed: The seed of the moments at which names collide.
        awaited: Whether callers await the check; each call then has an event loop of
            its own. ``None`` takes this from the check: one that is guarded as an
            async function is awaited, any other coroutine is a leak.

    Raises:
        GateFailed: Names everything that went wrong.
        GuardUsageError: There are no scenarios, or no users.
    """
    if not scenarios or users < 1:
        raise usage_error(
            "health_report_gate() needs a scenario and a user; "
            'pass scenarios={"anybody": ()} and users=1 or more'
        )
    findings = Findings(_GATE)
    if awaited is None:
        awaited = is_async(check) and is_guarded(check)
    calls = _Calls(findings, _completed(check) if awaited else check)
    with reported_leaks() as leaks:
        _in_every_combination(calls, scenarios, outages or {})
        _many_at_once(calls, scenarios, users)
    for leak in dict.fromkeys(leaks):
        findings.add("reported while it was called", leak)
    if collides_at and not findings.enough:
        _in_collisions(calls, scenarios, collides_at, seed)
    record.did(scenarios=calls.done, users=users)
    if outages:
        record.did(faults=len(outages))
    findings.raise_if_any()


def _completed(check: Callable[..., Any]) -> Callable[..., Any]:
    """Return a sync function that runs an async check and returns its result."""

    def run(*args: Any) -> Any:
        # On a thread of its own, because the caller's may run a loop already.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(check(*args))).result()

    return run


class _Calls:
    def __init__(self, findings: Findings, check: Callable[..., Any]) -> None:
        self.findings = findings
        self.done = 0
        self._check = check

    def report(self, where: str, args: tuple[Any, ...], down: frozenset[str]) -> None:
        """Call the check, and check that its report names the failed components."""
        self.done += 1
        try:
            found = self._check(*args)
            for problem in _problems(found, down):
                self.findings.add(where, problem)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            leak = explain(error)
            if leak is not None and not isinstance(error, CoroguardError):
                text += f"; {leak.advice}"
            self.findings.add(where, " | ".join(map(str.strip, text.splitlines())))

    def report_or_leak(self, where: str, args: tuple[Any, ...]) -> bool:
        """Call the check while its name may collide; return whether it leaked."""
        self.done += 1
        try:
            found = self._check(*args)
        except (CoroutineLeakError, NotAwaitableError):
            return True
        for problem in _problems(found, None):
            self.findings.add(where, problem)
        return False


def _in_every_combination(
    calls: _Calls,
    scenarios: Mapping[str, tuple[Any, ...]],
    outages: Mapping[str, Callable[[], AbstractContextManager[object]]],
) -> None:
    for down in _subsets(outages):
        if calls.findings.enough:
            return
        with ExitStack() as stack:
            for name in down:
                stack.enter_context(outages[name]())
            for scenario, args in scenarios.items():
                where = f"{scenario}, {' and '.join(down) or 'nothing'} down"
                calls.report(where, args, frozenset(down))


def _subsets(names: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    for count in range(len(names) + 1):
        yield from itertools.combinations(names, count)


def _many_at_once(
    calls: _Calls, scenarios: Mapping[str, tuple[Any, ...]], users: int
) -> None:
    rounds = itertools.islice(itertools.cycle(scenarios.items()), users)
    started: list[Future[None]] = []
    with ThreadPoolExecutor(users) as pool:
        for scenario, args in rounds:
            where = f"{scenario}, {users} users at once"
            started.append(pool.submit(calls.report, where, args, frozenset()))
    for call in started:
        call.result()  # what is not read is not known


def _in_collisions(
    calls: _Calls, scenarios: Mapping[str, tuple[Any, ...]], name: str, seed: int
) -> None:
    chance = random.Random(seed)
    collision = collide(name)
    seen = 0
    for number in range(_SEEDED_CALLS):
        scenario, args = chance.choice(sorted(scenarios.items()))
        collides = bool(chance.getrandbits(1)) or number == 0
        with ExitStack() as stack:
            if collides:
                stack.enter_context(collision)
            where = f"{scenario}, collision {number} of seed {seed}"
            leaked = calls.report_or_leak(where, args)
        seen += leaked
        if leaked != collides and not calls.findings.enough:
            what = "went unseen" if collides else "was reported without a collision"
            calls.findings.add(where, f"a collision {what}")
    if not seen:
        calls.findings.add(f"seed {seed}", f"no collision at {name} was ever seen")


def _problems(found: Any, down: frozenset[str] | None) -> Iterator[str]:
    """Yield the faults of a check's result."""
    close = getattr(found, "close", None)
    if hasattr(found, "cr_frame") and close is not None:
        close()  # nobody will await it any more
        yield f"health_report is {type(found)}, not dict"
        return
    lines = check_report(found)
    if lines:
        yield f"health_report is {type(found)}: {'; '.join(lines[:3])}"
        return
    reported: list[str] = sorted(found.get("failed_components", []))
    if down is not None and reported != sorted(down):
        named, true = reported or "nothing", sorted(down) or "nothing"
        yield f"by the report {named} failed, not {true}"
