"""How is a function guarded?"""

from __future__ import annotations

import contextlib
import functools
import sys
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .._inspect.callables import is_async, name_of
from .._leaks.errors import CoroguardError, GuardUsageError
from .._runtime import drops as tracking
from .._runtime import hot as _hot
from .._runtime.drops import Scope
from .._runtime.modes import Mode, ModeName, parse, started_off
from .._runtime.status import add_guard
from .contracts import contract_for, contract_of, scalar_of
from .deferred import deferred, is_promised
from .judge import Terms, forgive, judge, judge_drops
from .names import remember
from .supported import refuse
from .wrapper import wrap_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._leaks.leak import Leak

__all__ = ["guard"]

F = TypeVar("F", bound="Callable[..., Any]")


class _Annotated:
    def __repr__(self) -> str:  # as signatures show it
        return "<as annotated>"


_ANNOTATED: Any = _Annotated()
# Typed Any, because their generic types say nothing about the function inside.
_UNBOUND: Any = (staticmethod, classmethod)


@overload
def guard(function: F, /) -> F: ...
@overload
def guard(
    *,
    returns: Any = ...,
    mode: Mode | ModeName | None = None,
    dropped: bool = True,
    name: str | None = None,
) -> Callable[[F], F]: ...
def guard(
    function: Any = _ANNOTATED,
    /,
    *,
    returns: Any = _ANNOTATED,
    mode: Mode | ModeName | None = None,
    dropped: bool = True,
    name: Any = None,
) -> Any:
    """Guard a function against escaped coroutines, and check what it returns.

    Looks at the value, inside the value, and at what the call left behind.
    Returns the very object that the function returned.

    Args:
        function: A function, method, static or class method, partial or
            callable object, sync or async.
        returns: What the function must return: any type that pydantic or
            typeguard can check, or ``Any`` for leaks only. Without it, what
            its return annotation says; a ``HealthReport`` or its mapping where
            that is missing, ``Any``, or a mapping that may be one.
        mode: Pins the mode of this guard; ``None`` follows the context's.
        dropped: Whether coroutines that were left behind count.
        name: Name in messages; the function's qualified name by default.

    Returns:
        The guarded function, or a decorator where only options are given. In
        a process that was started in mode ``off``: the function itself,
        untouched, unless ``mode`` pins another.

    Raises:
        GuardUsageError: What was given cannot be guarded, or an option is
            wrong.
    """
    pinned = None if mode is None else parse(mode, "guard(mode=...)")
    if type(dropped) is not bool:
        raise GuardUsageError(f"dropped={dropped!r} is neither True nor False")
    if name is not None and not isinstance(name, str):
        raise GuardUsageError(f"name={name!r} is not text")
    contract = None if returns is _ANNOTATED else contract_for(returns)

    def decorate(target: Any) -> Any:
        refuse(target, "guard")
        is_bare = started_off() and pinned in (None, Mode.OFF)
        add_guard(target, name or name_of(target), is_bare=is_bare)
        if is_bare:
            return target
        guarded = _guarded(target, contract, pinned, dropped, name)
        remember(guarded)
        return guarded

    return decorate if function is _ANNOTATED else decorate(function)


def _guarded(
    target: Any, contract: Any, pinned: Mode | None, dropped: bool, name: str | None
) -> Any:
    """Guard a target of any supported kind."""
    again = functools.partial(
        _guarded, contract=contract, pinned=pinned, dropped=dropped, name=name
    )
    if isinstance(target, _UNBOUND):
        return type(target)(again(target.__func__))
    if type(target) is MethodType:
        return MethodType(again(target.__func__), target.__self__)
    colour = is_async(target)
    tracking.install()
    contract = contract or contract_of(target)
    terms = Terms(
        name=name or name_of(target),
        function=target,
        contract=contract,
        pinned=pinned,
        dropped=dropped,
        is_async=colour,
    )
    opened, done, failed = _hooks(terms)
    if type(target) is FunctionType:
        return wrap_function(
            target,
            is_async=colour,
            scalar=scalar_of(contract, target),
            dropped=dropped,
            always=pinned is Mode.STRICT,
            opened=opened,
            done=done,
            failed=failed,
        )
    from .proxy import wrap_callable

    return wrap_callable(
        target, again, is_async=colour, opened=opened, done=done, failed=failed
    )


def _hooks(terms: Terms) -> tuple[Any, Any, Any]:
    """Return what a wrapper calls before, after, and on an exception."""
    glance = terms.contract.is_plainly_right

    def opened(scope: Scope | None = None) -> Scope | None:
        if terms.mode is not Mode.STRICT or not terms.dropped:
            return scope
        if scope is None:
            scope = Scope()
            scope.enter(id(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]
        scope.track_origins()
        _hot.add_alert(1)
        return scope

    def done(value: Any, scope: Scope | None) -> tuple[Any, CoroguardError | None]:
        frame_id = id(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        if scope is None and tracking.is_quiet(frame_id) and glance(value):
            return value, None
        drops, started = _close(scope, frame_id)
        if is_promised(terms, value):
            error = judge_drops(terms, drops, started)
            return deferred(terms, value) if error is None else value, error
        return value, judge(terms, value, drops, started)

    def failed(exception: BaseException, scope: Scope | None) -> None:
        drops, started = _close(scope, id(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]
        # Whatever goes wrong in the telling, it is the exception that has to pass.
        with contextlib.suppress(Exception):
            forgive(terms, exception, drops, started)

    return opened, done, failed


def _close(scope: Scope | None, frame_id: int) -> tuple[list[Leak], float | None]:
    """Take what was dropped in a call that ends, and when the call began."""
    drops = tracking.drops_of(frame_id)
    if scope is None:
        return drops, None
    started = scope.leave()
    if started is not None:
        _hot.add_alert(-1)
    return [*drops, *scope], started
