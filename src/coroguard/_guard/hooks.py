"""Hooks that the wrapper of a guard calls around its function."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import COROUTINES, what_is
from .._inspect.callables import MARK, QUIET_MARK
from .._leaks.scan import is_quiet
from .._runtime.collector import interrupted, interruptions
from .._runtime.drops import drops_of, pending
from .._runtime.hot import HOT
from .._runtime.modes import Mode, current
from .._runtime.scopes import Scope
from .deferred import deferred, is_promised
from .judge import forgive, judge, judge_drops
from .terms import Terms
from .timing import emit_done, emit_ended, timed

if TYPE_CHECKING:
    from .._leaks.errors import CoroguardError
    from .._leaks.leak import Leak

#: A member of an enum costs Python 3.11 more than the rest of a look at the mode.
_STRICT = Mode.STRICT


class Hooks(Terms):
    """The options of a guard, and the functions that its wrapper calls."""

    # One object for both: each that a guard is made of makes all collections slower.
    __slots__ = ()

    is_quiet = staticmethod(is_quiet)

    @property
    def terms(self) -> Terms:
        """The options; the hooks of other frames have none."""
        return self

    @property
    def mark(self) -> str:
        """The name by which the frames of the wrapper are known."""
        return MARK if self.dropped else QUIET_MARK

    def takes_drops(self) -> bool:
        """Return whether what is dropped in the call concerns this guard."""
        return self.mode is not Mode.OFF

    def opened(self) -> Scope | None:
        """Return a scope for the call that begins, where it needs one."""
        if not self.dropped or (self.pinned or current()) is not _STRICT:
            return timed(self) if HOT.timed else None
        if interruptions and interrupted() is not None:
            return None
        scope = Scope()
        scope.anchor = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        scope.enter_with_origins()
        return scope

    def done(
        self, value: Any, scope: Scope | None
    ) -> tuple[Any, CoroguardError | None]:
        """End a call that returned; return what to return and what to raise."""
        started: float | None = None
        drops: list[Leak] = []
        if scope is not None:
            scope.leave()
            started = scope.started
        if pending or (scope is not None and scope.drops):
            frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
            drops = _drops(frame_id, scope)
        if not drops and self.contract.is_plainly_right(value):
            if HOT.timed:
                emit_done(self, value, None, started)
            return value, None
        what = what_is(value)
        if what in COROUTINES and is_promised(self, value, sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
            error = judge_drops(self, drops, started)
            return deferred(self, value) if error is None else value, error
        error, wrong = judge(self, value, what, drops, started)
        if started is not None:
            emit_done(self, value, wrong, started)
        return value, error

    def failed(self, scope: Scope | None) -> None:
        """End a call that an exception passes."""
        exception = sys.exception()
        is_closing = isinstance(exception, GeneratorExit)
        frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        started = None
        if scope is not None:
            scope.leave(in_context=not is_closing)
            started = scope.started
        drops = _drops(frame_id, scope) if pending or scope is not None else []
        if exception is None or is_closing:
            return
        if started is not None:
            emit_ended(self, exception, started)
        # Whatever goes wrong here, it is the user's exception that has to pass.
        try:  # noqa: SIM105 - contextlib.suppress() costs more than the rest
            forgive(self, exception, drops, started)
        except Exception:
            pass


def _drops(frame_id: int, scope: Scope | None) -> list[Leak]:
    """Take what was dropped in a call that ends."""
    drops = drops_of(frame_id)
    return drops if scope is None else [*drops, *scope.drops]
