"""The decorator that guards a function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, FunctionType, MethodType
from typing import Any, TypeVar, overload

from .._inspect.awaitables import class_of
from .._inspect.callables import makes_coroutine, name_of
from .._runtime import drops as runtime_drops
from .._runtime.modes import Mode, ModeName, parse, started_off
from .._runtime.status import add_guard
from .contracts import contract_for, contract_of, scalar_of
from .hooks import Hooks
from .names import remember
from .supported import FRAMEWORKS, refuse, usage_error
from .wrapper import wrap_function

F = TypeVar("F", bound="Callable[..., Any]")


class _Annotated:
    """The default of an argument, as signatures show it."""

    def __repr__(self) -> str:
        return "<as annotated>"


_ANNOTATED: Any = _Annotated()


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
            typeguard can check, or ``Any`` for leaks only. Without it, its
            return annotation; a ``HealthReport`` or its mapping where that is
            missing, ``Any``, or a mapping that may be one.
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
        raise usage_error(f"dropped={dropped!r} is neither True nor False")
    if name is not None and not isinstance(name, str):
        raise usage_error(f"name={name!r} is not text")
    contract = None if returns is _ANNOTATED else contract_for(returns)

    def decorate(target: Any) -> Any:
        refuse(target, "guard")
        if not FRAMEWORKS.isdisjoint(sys.modules):
            from .routes import refuse_route

            refuse_route(target, _caller(), "guard")
        is_bare = started_off() and pinned in (None, Mode.OFF)
        add_guard(target, name or name_of(target), is_bare=is_bare)
        if is_bare:
            return target
        guarded = _guarded(target, contract, pinned, dropped, name)
        remember(guarded)
        return guarded

    return decorate if function is _ANNOTATED else decorate(function)


def _caller() -> FrameType:
    """Return the frame in which a guard is put on."""
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    outer = frame.f_back if frame.f_code is guard.__code__ else None
    return outer or frame


def _guarded(
    target: Any, contract: Any, pinned: Mode | None, dropped: bool, name: str | None
) -> Any:
    """Guard a target of any supported kind."""
    kind = class_of(target)
    if issubclass(kind, (staticmethod, classmethod)):
        return kind(_guarded(target.__func__, contract, pinned, dropped, name))
    if kind is MethodType:
        inner = _guarded(target.__func__, contract, pinned, dropped, name)
        return MethodType(inner, target.__self__)
    runtime_drops.install()
    contract = contract or contract_of(target)
    hooks = Hooks(
        name=name or name_of(target),
        function=target,
        contract=contract,
        pinned=pinned,
        dropped=dropped,
        is_async=makes_coroutine(target),
    )
    if kind is FunctionType:
        return wrap_function(
            target,
            hooks,
            scalar=scalar_of(contract, target),
            always=pinned is Mode.STRICT,
            is_check=contract.is_report or contract.is_late,
        )
    from .proxy import wrap_callable

    return wrap_callable(target, hooks)
