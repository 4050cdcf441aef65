"""Hooks that the wrapper of a guard calls around its function."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import ATOMS
from .._inspect.callables import MARK, QUIET_MARK
from .._runtime import drops as tracking
from .._runtime.collector import interrupted
from .._runtime.modes import Mode, current
from .._runtime.scopes import Scope
from .contracts import scalar_of
from .deferred import deferred, is_promised
from .judge import forgive, judge, judge_drops

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._leaks.errors import CoroguardError
    from .._leaks.leak import Leak
    from .judge import Terms


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
    pinned, glance = terms.pinned, terms.contract.is_plainly_right
    scalar = scalar_of(terms.contract, terms.function)
    plain = ATOMS if scalar is object else {scalar}

    def opened() -> Scope | None:
        if (pinned or current()) is not Mode.STRICT or not terms.dropped:
            return None
        if interrupted() is not None:
            return None
        scope = Scope(id(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]
        scope.enter()
        scope.track_origins()
        return scope

    def done(value: Any, scope: Scope | None) -> tuple[Any, CoroguardError | None]:
        frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        if scope is None and tracking.is_quiet(frame_id) and glance(value):
            return value, None
        drops, started = _close(scope, frame_id)
        if not drops and (type(value) in plain or glance(value)):
            return value, None
        if is_promised(terms, value):
            error = judge_drops(terms, drops, started)
            return deferred(terms, value) if error is None else value, error
        return value, judge(terms, value, drops, started)

    def failed(scope: Scope | None) -> None:
        exception = sys.exception()
        is_closing = isinstance(exception, GeneratorExit)
        frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        drops, started = _close(scope, frame_id, in_context=not is_closing)
        if exception is None or is_closing:
            return
        # Whatever goes wrong here, it is the user's exception that has to pass.
        with contextlib.suppress(Exception):
            forgive(terms, exception, drops, started)

    return opened, done, failed


def _close(
    scope: Scope | None, frame_id: int, *, in_context: bool = True
) -> tuple[list[Leak], float | None]:
    """Take what was dropped in a call that ends, and when the call began."""
    drops = tracking.drops_of(frame_id)
    if scope is None:
        return drops, None
    scope.leave(in_context=in_context)
    return [*drops, *scope.drops], scope.started
