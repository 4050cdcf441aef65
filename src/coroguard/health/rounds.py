"""One round of all checks, and the report that it makes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..report.models import HealthReport
from .answers import BLOCKED, LATE, MISSING, Outcome, advice_of, component_of, report_of
from .calls import publish
from .left import leave
from .log import log_changes
from .loop import running_loop
from .runs import Run

if TYPE_CHECKING:
    from .checks import Checked

HealthReport.model_rebuild()  # which takes longer than a check, so not in the first one


class Round:
    """All checks at once, each under its deadline.

    Args:
        checks: The checks by the names of their components.
        deadline_s: Seconds for a check that has no deadline of its own.
        expected: Names that must be among the checks.

    Attributes:
        deadline_s: Seconds after which it is over.
    """

    def __init__(
        self,
        checks: Mapping[str, Checked],
        deadline_s: float,
        expected: Iterable[str] = (),
    ) -> None:
        self._runs = [
            Run(name, it, deadline_s if it.deadline_s is None else it.deadline_s)
            for name, it in checks.items()
        ]
        self._optional = {name for name, it in checks.items() if it.optional}
        self._missing = [name for name in expected if name not in checks]
        self.deadline_s = max((run.deadline_s for run in self._runs), default=0.0)
        self._left = len(self._runs)
        self._over: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def finish(self) -> HealthReport:
        """Run the checks and return the report, at the latest at its deadline."""
        self._loop = loop = running_loop()
        self._over = over = loop.create_future()
        timers = [
            loop.call_later(deadline_s, self._give_up, deadline_s)
            for deadline_s in {run.deadline_s for run in self._runs}
        ]
        try:
            for run in self._runs:
                run.start(loop, self._settled)
            if self._left:
                await over
        finally:
            for timer in timers:
                timer.cancel()
            self._give_up(self.deadline_s)  # where the caller is cancelled
        return self._report()

    def force(self) -> HealthReport:
        """Return the report although the loop does not go on, from another thread."""
        stuck = self._current_task()
        culprit = next((it for it in self._runs if it.task is stuck is not None), None)
        for run in self._runs:
            if run.settled is None:
                run.settled = run.outcome or self._forced(run, culprit)
        return self._report()

    def outcomes(self) -> dict[str, Outcome]:
        """Return how each check ended, by the names of the components."""
        late = Outcome.failed(LATE, "no answer")
        missing = Outcome.failed(MISSING, "there is no check of this name")
        found = {run.name: run.settled or late for run in self._runs}
        return found | dict.fromkeys(self._missing, missing)

    def _give_up(self, deadline_s: float) -> None:
        """Abandon the runs whose deadline has passed."""
        for run in self._runs:
            if run.settled is None and run.deadline_s <= deadline_s:
                run.give_up()

    def _settled(self) -> None:
        self._left -= 1
        if not self._left and self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _current_task(self) -> asyncio.Task[object] | None:
        """Return the task whose step the loop runs; it need not be one of ours."""
        if self._loop is None:
            return None
        return asyncio.current_task(self._loop)

    def _forced(self, run: Run, culprit: Run | None) -> Outcome:
        """Leave a run to itself; one that blocks the loop may not run again yet."""
        text = f"no answer within {run.deadline_s:g} s"
        took = round(run.deadline_s * 1_000, 3)
        if run.task is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(run.task.cancel)
        if run is culprit:
            leave(run)
            return Outcome.failed(
                BLOCKED, f"{text}: it blocks the event loop", took=took
            )
        if culprit is not None:
            text += f": {culprit.name} blocks the event loop"
        if culprit is None or run.task is None:
            leave(run)
        return Outcome.failed(LATE, text, took=took)

    def _report(self) -> HealthReport:
        components, suggestions = {}, list[str]()
        for name, outcome in self.outcomes().items():
            components[name] = found = component_of(outcome)
            if name in self._optional and found["status"] == "failed":
                found["status"] = "degraded"
            if advice := advice_of(name, outcome, found):
                suggestions.append(advice)
        log_changes(components)
        publish(components)
        return HealthReport.model_validate(report_of(components, suggestions))
