"""Guards on callables that are not plain functions."""

# wrapt's ``FunctionWrapper`` stays true to what it wraps (attributes, ``isinstance``,
# binding), at several times the cost of the wrapper that plain functions get.

from __future__ import annotations

import copy
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

import wrapt

from .._inspect.callables import is_async
from .wrapper import marked

if TYPE_CHECKING:
    from .hooks import Hooks


class _GuardedCallable(wrapt.FunctionWrapper[Any, Any]):
    """A guarded partial, built-in function, callable object or wrapped method.

    Copies and pickles as the wrapped object, guarded again.
    """

    def __init__(self, wrapped: Any, wrapper: Any, hooks: Hooks) -> None:
        super().__init__(wrapped, wrapper)
        self._self_hooks = hooks

    @property
    def __coroguard__(self) -> Hooks:
        return self._self_hooks

    def __copy__(self) -> Any:
        return _again(copy.copy(self.__wrapped__), self.__coroguard__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _again(copy.deepcopy(self.__wrapped__, memo), self.__coroguard__)

    def __reduce__(self) -> Any:
        return _again, (self.__wrapped__, self.__coroguard__)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


class _GuardedAsyncCallable(_GuardedCallable):
    """A guarded object whose class has an async ``__call__``, as this one does."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call: Any = self._self_wrapper
        return await call(self.__wrapped__, None, args, kwargs)


def wrap_callable(target: Any, hooks: Hooks) -> Any:
    """Return a proxy of ``target`` whose calls are guarded.

    Args:
        target: A callable that is not a plain function.
        hooks: Those of the guard.
    """

    def call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        scope = hooks.opened()
        try:
            value = wrapped(*args, **kwargs)
        except BaseException:
            hooks.failed(scope)
            del wrapped, instance, args, kwargs
            raise
        return _outcome(*hooks.done(value, scope))

    async def acall(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        scope = hooks.opened()
        try:
            value = await wrapped(*args, **kwargs)
        except BaseException:
            hooks.failed(scope)
            del wrapped, instance, args, kwargs
            raise
        return _outcome(*hooks.done(value, scope))

    chosen: Any = acall if hooks.is_async else call
    wrapper = FunctionType(
        marked(chosen.__code__, hooks.mark),
        chosen.__globals__,
        chosen.__name__,
        None,
        chosen.__closure__,
    )
    by_object = is_async(target) and is_async(getattr(type(target), "__call__", None))  # noqa: B004
    kind: Any = _GuardedAsyncCallable if by_object else _GuardedCallable
    return kind(target, wrapper, hooks)


def _outcome(value: Any, error: BaseException | None) -> Any:
    """Raise the error or return the value, leaving no reference cycle."""
    if error is None:
        return value
    try:
        raise error
    finally:
        del error, value


def _again(target: Any, hooks: Hooks) -> Any:
    """Guard a copy of a target on the same terms."""
    return wrap_callable(target, replace(hooks, function=target))
