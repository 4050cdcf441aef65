"""One round of checks for all concurrent callers, and a short memory of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Never

from .checks import DEADLINE_S, refuse_unknown, seconds
from .loop import run_outside, running_loop
from .sources import round_maker

if TYPE_CHECKING:
    from ..report.models import HealthReport
    from .rounds import Round

#: The default time for which a report is remembered.
MEMORY_S: Final = 1.0
_OPTIONS: Final = ("deadline_s", "memory_s", "expected")


class HealthChecks:
    """Checks that run once for all concurrent callers.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        deadline_s: Seconds that each check may take.
        memory_s: Seconds for which a report is given to those who ask later; 0 for
            those alone who ask while the checks run.
        expected: Names that must be among the components.
        by: The function that got the options, for messages.
        **unknown: Refused, with the nearest right name.

    Raises:
        GuardUsageError: An unknown option or value, or ``check`` is not a check.
    """

    def __init__(
        self,
        check: Any,
        *,
        deadline_s: float = DEADLINE_S,
        memory_s: float = MEMORY_S,
        expected: Iterable[str] = (),
        by: str = "HealthChecks",
        **unknown: Never,
    ) -> None:
        refuse_unknown(by, unknown, _OPTIONS)
        self._make: Callable[[], Round] = round_maker(
            check, by=by, deadline_s=deadline_s, expected=expected
        )
        self._memory_s = seconds(memory_s, "memory_s", least=-1.0)
        #: By the running loop, because what checks await belongs to one.
        self._flights: dict[asyncio.AbstractEventLoop, _Flight] = {}
        self._last: tuple[float, HealthReport] | None = None

    async def acollect(self) -> HealthReport:
        """Return the report; a caller that is cancelled does not end the round."""
        remembered = self._remembered()
        if remembered is not None:
            return remembered
        loop = running_loop()
        flight = self._flights.get(loop)
        if flight is None or flight.landed.done():
            flight = self._flights[loop] = _Flight(loop, self._make())
            flight.task.add_done_callback(lambda _: self._land(loop, flight))
            for other in [it for it in self._flights if it.is_closed()]:
                self._flights.pop(other, None)
        return await asyncio.shield(flight.landed)

    def collect(self) -> HealthReport:
        """Collect a report in synchronous code."""
        remembered = self._remembered()
        if remembered is not None:
            return remembered
        longest_s = self._make().deadline_s
        return run_outside(self.acollect, longest_s, self._force)

    def _force(self, loop: asyncio.AbstractEventLoop) -> HealthReport:
        """Return the report of a round whose loop is blocked."""
        flight = self._flights.get(loop)
        made = self._make() if flight is None else flight.round
        report = made.force()
        self._last = time.monotonic(), report
        return report

    def _remembered(self) -> HealthReport | None:
        last = self._last
        if last is None or time.monotonic() - last[0] >= self._memory_s:
            return None
        return last[1]

    def _land(self, loop: asyncio.AbstractEventLoop, flight: _Flight) -> None:
        self._flights.pop(loop, None)
        if flight.task.cancelled():
            flight.landed.cancel()
            return
        error = flight.task.exception()
        if error is not None:
            flight.landed.set_exception(error)
            return
        report = flight.task.result()
        self._last = time.monotonic(), report
        if not flight.landed.done():
            flight.landed.set_result(report)


class _Flight:
    """A round under way, and the future that its callers await.

    They do not await its task: what a check drops must not count as dropped by one
    of those who wait.
    """

    __slots__ = ("landed", "round", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop, made: Round) -> None:
        self.round = made
        self.landed: asyncio.Future[Any] = loop.create_future()
        self.task = loop.create_task(made.finish())
