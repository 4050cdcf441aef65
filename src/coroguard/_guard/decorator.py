"""How is a function guarded?"""

from __future__ import annotations

import contextlib
import functools
import sys
from dataclasses import replace
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .._inspect.awaitables import ATOMS, what_is
from .._inspect.callables import is_async, name_of
from .._inspect.promises import awaited_type, promises
from .._leaks.errors import CoroguardError, GuardUsageError
from .._runtime import drops as tracking
from .._runtime import hot as _hot
from .._runtime.drops import Scope
from .._runtime.modes import Mode, ModeName, parse, started_off
from .contracts import contract_for, report_contract, scalar_of
from .judge import Terms, forgive, judge
from .names import remember
from .supported import refuse
from .wrapper import wrap_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._leaks.leak import Leak

__all__ = ["guard"]

F = TypeVar("F", bound="Callable[..., Any]")
_REPORT: Any = object()
_COROUTINES = ("coroutine", "generator-based coroutine")
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
    function: Any = _REPORT,
    /,
    *,
    returns: Any = _REPORT,
    mode: Mode | ModeName | None = None,
    dropped: bool = True,
    name: Any = None,
) -> Any:
    """Guard a function against escaped coroutines, and check what it returns.

    Looks at the value, inside the value, and at what the call left behind.
    Hands out the very object that the function returned.

    Args:
        function: A function, method, static or class method, partial or
            callable object, sync or async.
        returns: What the function must return: a ``HealthReport`` or its
            mapping where nothing is given, ``Any`` for leaks only, or any type
            that pydantic or typeguard can check.
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
    contract = report_contract() if returns is _REPORT else contract_for(returns)

    def decorate(target: Any) -> Any:
        refuse(target, "guard")
        if started_off() and pinned in (None, Mode.OFF):
            return target
        guarded = _guarded(target, contract, pinned, dropped, name)
        remember(guarded)
        return guarded

    return decorate if function is _REPORT else decorate(function)


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
        if not terms.is_async and _is_passed_through(terms, value):
            return _through(terms, value, drops), None
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


def _is_passed_through(terms: Terms, value: Any) -> bool:
    """Say whether a sync function hands a coroutine out as it promised to.

    Other promised awaitables, such as tasks and lazy queries, go out as they
    are: more can be done with them than to await them.
    """
    if type(value) in ATOMS or what_is(value) not in _COROUTINES:
        return False
    return terms.mode is not Mode.OFF and terms.announce(value)


def _through(terms: Terms, awaitable: Any, drops: list[Leak]) -> Any:
    """Return a coroutine that awaits, judges the result, and hands it out."""
    coroutine: Any = _awaited(terms, awaitable, drops)
    coroutine.__name__ = getattr(terms.function, "__name__", terms.name)
    coroutine.__qualname__ = terms.name
    return coroutine


async def _awaited(terms: Terms, awaitable: Any, drops: list[Leak]) -> Any:
    value = await awaitable
    if promises(terms.contract.type, awaitable):
        contract = contract_for(awaited_type(terms.contract.type))
        terms = replace(terms, contract=contract)
    error = judge(replace(terms, awaited=True), value, drops, None)
    if error is not None:
        raise error
    return value


# Where nobody awaits it, what it would have awaited is dropped too, and told of.
tracking.ignore(_awaited)
