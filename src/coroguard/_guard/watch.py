"""Watches: the protection of a guard for a block of code."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never, TypeVar

from .._inspect.callables import is_async, name_of
from .._leaks.errors import CoroguardError, leak_error
from .._leaks.explain import explain
from .._leaks.origins import place
from .._runtime import drops
from .._runtime.collector import interrupted
from .._runtime.frames import place_of
from .._runtime.modes import Mode, ModeName, current, parse
from .._runtime.scopes import Scope
from .judge import act, note_on
from .supported import refuse, usage_error

if TYPE_CHECKING:
    from .._leaks.leak import Leak

F = TypeVar("F", bound="Callable[..., Any]")


class watch:  # noqa: N801 - used like a function
    """Watch a block for coroutines that are left behind or used as values.

    ``with watch() as leaks`` and ``async with watch() as leaks`` give the list
    of the leaks seen inside, by guards too; ``@watch()`` watches each call of a
    function, sync or async. On leaving, dropped coroutines raise in ``strict``
    mode; an exception that a coroutine caused becomes a ``CoroutineLeakError``
    or ``NotAwaitableError`` raised from it in ``enforce`` and ``strict``.

    Args:
        mode: Pins the mode of this block; ``None`` follows the context's.
        name: Name in messages; the place of the block by default.

    Raises:
        GuardUsageError: An unknown mode, or a block entered twice at once.
    """

    def __init__(
        self,
        *function: Never,
        mode: Mode | ModeName | None = None,
        name: str | None = None,
    ) -> None:
        if function:
            raise usage_error("watch is called first: write @watch(), or watch()(f)")
        self._pinned = None if mode is None else parse(mode, "watch(mode=...)")
        self._name = name
        self._guarded = name or "watch"
        self._scope: Scope | None = None
        self._mode = Mode.OFF
        self._started = 0.0

    def __enter__(self) -> list[Leak]:
        return self._enter(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]

    def __exit__(
        self, kind: object, exc: BaseException | None, traceback: object
    ) -> None:
        error = self._leave(exc)
        if error is not None:
            try:
                raise error
            finally:
                del error, exc, traceback

    async def __aenter__(self) -> list[Leak]:
        return self._enter(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]

    async def __aexit__(
        self, kind: object, exc: BaseException | None, traceback: object
    ) -> None:
        try:
            self.__exit__(kind, exc, traceback)
        finally:
            del exc, traceback

    def __call__(self, function: F) -> F:
        """Watch each call of a function, sync or async.

        Raises:
            GuardUsageError: It is a class, a property or a generator function.
        """
        refuse(function, "watch")
        pinned, name = self._pinned, self._name or name_of(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with watch(mode=pinned, name=name):
                return function(*args, **kwargs)

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            async with watch(mode=pinned, name=name):
                return await function(*args, **kwargs)

        return acall if is_async(function) else call  # type: ignore[return-value]

    def _enter(self, frame: Any) -> list[Leak]:
        if self._scope is not None:
            raise usage_error("this watch is entered already; make one for each block")
        if self._name is None:
            where = place(frame.f_code.co_filename, frame.f_lineno)
            self._guarded = f"watch at {where}"
        self._mode = self._pinned or current()
        drops.install()
        is_on = self._mode is not Mode.OFF and interrupted() is None
        self._scope = scope = Scope()
        seen: list[Leak] = []
        scope.seen = seen
        if is_on:
            scope.anchor = place_of(frame).frame_id
            if self._mode is Mode.STRICT:
                scope.enter_with_origins()
            else:
                scope.enter()
        self._started = time.perf_counter()
        return seen

    def _leave(self, exception: BaseException | None) -> CoroguardError | None:
        """Close the block; return the error to raise, if any."""
        scope, self._scope = self._scope, None
        if scope is None or self._mode is Mode.OFF:
            return None
        is_closing = isinstance(exception, GeneratorExit)
        scope.leave(in_context=not is_closing)
        drops = [drop.within(self._guarded, is_async=True) for drop in scope.drops]
        seen = scope.seen if scope.seen is not None else []
        seen.extend(drops)
        cause = None
        if exception is not None and not isinstance(exception, CoroguardError):
            cause = explain(exception)
        if cause is not None:
            cause = cause.within(self._guarded, is_async=True)
            seen.append(cause)
        if exception is None or (cause is not None and self._mode is not Mode.OBSERVE):
            leaks = drops if cause is None else [cause, *drops]
            if not leaks:
                return None
            error = act(
                self._mode,
                self._guarded,
                [leak_error(leak) for leak in leaks],
                started=self._started,
                conversions=cause is not None,
            )
            if error is not None:
                error.__cause__ = exception
            return error
        leaks = drops if cause is None else [*drops, cause]
        note_on(exception, self._mode, self._guarded, leaks, started=self._started)
        return None
