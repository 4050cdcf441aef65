"""One run of one check: in a task, or in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from .._guard.contracts import contract_for
from .._guard.deferred import is_promised
from .._guard.judge import act
from .._guard.terms import Terms
from .._guard.watch import watch
from .._inspect.awaitables import COROUTINES, what_is
from .._inspect.closing import close_refused
from .._leaks.errors import leak_error
from .._leaks.leak import Leak, LeakKind
from .._leaks.origins import record
from .._leaks.scan import is_quiet, scan
from .._runtime.modes import Mode, process
from .._runtime.threads import start
from .answers import LATE, RAISED, RUNNING, Outcome
from .left import end, is_blocked, leave
from .log import log_exception

if TYPE_CHECKING:
    from .checks import Checked

#: A leak fails the component in each mode; that of the program decides what is
#: raised elsewhere.
_MODE = Mode.OBSERVE


class Run:
    """A run of a check, which nothing waits for past its deadline.

    Args:
        name: The name of its component.
        checked: The check.
        deadline_s: Seconds that it may take.

    Attributes:
        outcome: How it ended; ``None`` before.
        settled: How it ended for the report, which may be earlier; ``None`` before.
        task: The task of an async check.
    """

    __slots__ = (
        *("_loop", "_notify", "_started", "checked", "deadline_s"),
        *("identity", "name", "outcome", "settled", "task"),
    )

    def __init__(self, name: str, checked: Checked, deadline_s: float) -> None:
        self.name = name
        self.checked = checked
        self.deadline_s = deadline_s
        self.identity: tuple[Any, Any] = ("", "")
        self.outcome: Outcome | None = None
        self.settled: Outcome | None = None
        self.task: asyncio.Task[None] | None = None

    def start(
        self, loop: asyncio.AbstractEventLoop, notify: Callable[[], object]
    ) -> None:
        """Start it.

        Args:
            loop: The running loop.
            notify: Called in the loop once the run is settled.
        """
        self._loop, self._notify = loop, notify
        self._started = time.perf_counter()
        if is_blocked(self.name, self.checked.check):
            self._settle(Outcome.failed(RUNNING, "an earlier run has not ended"))
            return
        if self.checked.is_async:
            self.task = loop.create_task(self._await(self.checked.check))
            return
        try:
            start(copy_context(), self._call, f"coroguard check {self.name}")
        except RuntimeError as error:  # no thread could be started
            self._end(self._raised(error))

    def give_up(self) -> None:
        """Settle it as too late, unless it is settled, and wait for it no more."""
        if self.settled is None:
            self.abandon(Outcome.failed(LATE, self._too_late(), took=self._took()))

    def abandon(self, outcome: Outcome) -> None:
        """Settle it with this outcome and leave it to itself."""
        leave(self)
        if self.task is not None:
            self.task.cancel()
        self._settle(outcome)

    def is_lost(self) -> bool:
        """Return whether it will never end, as its loop is closed."""
        return self.task is not None and self._loop.is_closed()

    def _settle(self, outcome: Outcome) -> None:
        self.settled = outcome
        self._notify()

    def _end(self, outcome: Outcome) -> None:
        """Note how it ended; called in the loop, or in the thread of the check."""
        if outcome.duration_ms > self.deadline_s * 1_000 and not outcome.code:
            outcome = Outcome.failed(LATE, self._too_late(), took=outcome.duration_ms)
        end(self, outcome)
        if self.task is not None:
            self._ended()
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        if self.settled is None and self.outcome is not None:
            self._settle(self.outcome)

    def _call(self) -> None:
        """Call a sync check, in a thread of its own."""
        seen: list[Leak] = []
        value: Any = None
        try:
            with watch(mode=_MODE, name=self.checked.name) as seen:
                value = self.checked.check()
                if value is not None and self._is_promised(value):
                    self._go_on(value)
                    return
                self._look_at(value, seen)
        except BaseException as error:
            self._end(self._raised(error, seen))
            return
        self._end(self._returned(value, seen))

    async def _await(self, check: Callable[[], Any]) -> None:
        """Await an async check."""
        seen: list[Leak] = []
        value: Any = None
        try:
            with watch(mode=_MODE, name=self.checked.name) as seen:
                value = await check()
                self._look_at(value, seen)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # also one that would end the service
            self._end(self._raised(error, seen))
            return
        self._end(self._returned(value, seen))

    def _is_promised(self, value: object) -> bool:
        """Return whether a sync check returned a coroutine that callers await."""
        if what_is(value) not in COROUTINES:
            return False
        terms = Terms(
            name=self.checked.name,
            function=self.checked.check,
            contract=contract_for(Any),
            pinned=_MODE,
            dropped=True,
            is_async=False,
        )
        return is_promised(terms, value)

    def _go_on(self, coroutine: Any) -> None:
        """Await a promised coroutine in the loop."""
        context = copy_context()

        def go_on() -> None:
            if self.settled is not None:
                coroutine.close()
                end(self, self.settled)
                return
            self.task = self._loop.create_task(
                self._await(lambda: coroutine), context=context
            )

        try:
            self._loop.call_soon_threadsafe(go_on)
        except RuntimeError as error:  # the loop is closed
            coroutine.close()
            self._end(self._raised(error))

    def _look_at(self, value: object, seen: list[Leak]) -> None:
        """Look for leaks in an answer; what is found is an event, and in ``seen``."""
        if value is None or type(value) is bool:
            return
        what = what_is(value)
        if what is not None:
            leaks = [record(LeakKind.RETURNED, what, value, path="$")]
            refused = [value]
        elif is_quiet(value):
            return
        else:
            result = scan(value, limit=process.scan_limit, quoted=True)
            leaks = [
                record(LeakKind.NESTED, it.what, it.value, path=it.path)
                for it in result.found
            ]
            leaks += result.symptoms
            refused = [it.value for it in result.found]
        known = {leak.name for leak in seen}
        name, is_async = self.checked.name, self.checked.is_async
        new = [
            leak_error(leak.within(name, is_async=is_async))
            for leak in leaks
            if leak.name not in known
        ]
        if new:
            act(_MODE, name, [*new], started=self._started)
        for one in refused:
            close_refused(one)

    def _returned(self, value: object, seen: list[Leak]) -> Outcome:
        if seen:
            return Outcome.leaked(_plainest(seen), self._took())
        return Outcome(value, duration_ms=self._took())

    def _raised(self, error: BaseException, seen: list[Leak] | None = None) -> Outcome:
        took = self._took()
        kind = type(error).__qualname__
        if self.settled is None and not isinstance(error, asyncio.CancelledError):
            log_exception(self.name, error)
        leak = getattr(error, "leak", None)
        if type(leak) is Leak:
            return Outcome.leaked(leak, took)
        if seen:
            return Outcome.leaked(_plainest(seen), took, raised=kind)
        return Outcome.failed(RAISED, kind, took=took)

    def _took(self) -> float:
        return round((time.perf_counter() - self._started) * 1_000, 3)

    def _too_late(self) -> str:
        return f"no answer within {self.deadline_s:g} s"


def _plainest(seen: list[Leak]) -> Leak:
    """Return a leak that has a name, if there is one."""
    return next((leak for leak in seen if leak.name), seen[0])
