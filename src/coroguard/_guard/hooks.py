"""Hooks that the wrapper of a guard calls around its function."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import COROUTINES, what_is
from .._inspect.callables import MARK, QUIET_MARK
from .._runtime.collector import interrupted, interruptions
from .._runtime.drops import drops_of, pending
from .._runtime.hot import HOT
from .._runtime.modes import Mode, current
from .._runtime.scopes import Scope
from .contracts import scalar_of
from .deferred import deferred, is_promised
from .judge import forgive, judge, judge_drops
from .timing import emit_done, emit_ended, timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._leaks.errors import CoroguardError
    from .._leaks.leak import Leak
    from .terms import Terms

#: A member of an enum costs Python 3.11 more than the rest of a look at the mode.
_STRICT = Mode.STRICT


class Hooks:
    """What a wrapper calls where there is something to look at.

    Args:
        terms: Those of the guard.
    """

    __slots__ = ("done", "failed", "mark", "opened", "terms")

    #: Called before, on alert; returns a scope or ``None``.
    opened: Callable[[], Scope | None]
    #: Called with the result and the scope; returns what to return and to raise.
    done: Callable[[Any, Scope | None], tuple[Any, CoroguardError | None]]
    #: Called with the scope while an exception passes.
    failed: Callable[[Scope | None], None]

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.mark = MARK if terms.dropped else QUIET_MARK
        self.opened, self.done, self.failed = _made(terms)

    def takes_drops(self) -> bool:
        """Return whether what is dropped in the call concerns this guard."""
        return self.terms.mode is not Mode.OFF

    def __reduce__(self) -> Any:
        return Hooks, (self.terms,)


def _made(terms: Terms) -> Any:
    """Make the three hooks, as closures, because a method would cost more."""
    pinned, dropped = terms.pinned, terms.dropped
    glance = terms.contract.glance
    scalar = scalar_of(terms.contract, terms.function)

    def opened() -> Scope | None:
        if not dropped or (pinned or current()) is not _STRICT:
            return timed(terms) if HOT.timed else None
        if interruptions and interrupted() is not None:
            return None
        scope = Scope()
        scope.anchor = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        scope.enter_with_origins()
        return scope

    def done(value: Any, scope: Scope | None) -> tuple[Any, CoroguardError | None]:
        started: float | None = None
        drops: list[Leak] = []
        if scope is not None:
            scope.leave()
            started = scope.started
        if pending or (scope is not None and scope.drops):
            frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
            drops = _drops(frame_id, scope)
        if not drops and (type(value) is scalar or glance(value)):
            if started is not None:
                emit_done(terms, value, None, started)
            return value, None
        what = what_is(value)
        if what in COROUTINES and is_promised(terms, value, sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
            error = judge_drops(terms, drops, started)
            return deferred(terms, value) if error is None else value, error
        error, wrong = judge(terms, value, what, drops, started)
        if started is not None:
            emit_done(terms, value, wrong, started)
        return value, error

    def failed(scope: Scope | None) -> None:
        exception = sys.exception()
        is_closing = isinstance(exception, GeneratorExit)
        frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        started = None
        if scope is not None:
            scope.leave(in_context=not is_closing)
            started = scope.started
        drops = _drops(frame_id, scope)
        if exception is None or is_closing:
            return
        emit_ended(terms, exception, started)
        # Whatever goes wrong here, it is the user's exception that has to pass.
        with contextlib.suppress(Exception):
            forgive(terms, exception, drops, started)

    return opened, done, failed


def _drops(frame_id: int, scope: Scope | None) -> list[Leak]:
    """Take what was dropped in a call that ends."""
    drops = drops_of(frame_id)
    return drops if scope is None else [*drops, *scope.drops]
