"""How are callables guarded that are not plain functions?"""

# wrapt's ``FunctionWrapper`` stays true to what it wraps (attributes, ``isinstance``,
# binding), at several times the cost of the closure that plain functions get.

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import wrapt

from .._runtime.drops import Scope, var

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wrap_callable"]


class _GuardedCallable(wrapt.FunctionWrapper[Any, Any]):
    """A guarded partial, built-in function or callable object.

    Copies and pickles as the wrapped object, guarded again.
    """

    #: By which a guard is known, whatever it is put on.
    __coroguard__ = True

    def __init__(self, wrapped: Any, wrapper: Any, again: Callable[[Any], Any]) -> None:
        super().__init__(wrapped, wrapper)
        self._self_again = again

    def __copy__(self) -> Any:
        return self._self_again(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._self_again(copy.deepcopy(self.__wrapped__, memo))

    def __reduce__(self) -> Any:
        return _rebuild, (self._self_again, self.__wrapped__)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


def wrap_callable(
    target: Any,
    again: Callable[[Any], Any],
    *,
    is_async: bool,
    opened: Callable[..., Any],
    done: Callable[[Any, Any], tuple[Any, BaseException | None]],
    failed: Callable[[BaseException, Any], None],
) -> Any:
    """Return a proxy of ``target`` whose calls are guarded.

    Args:
        target: A callable that is not a plain function.
        again: Guards a copy of it the same way.
        is_async: Whether calling it makes a coroutine.
        opened: As in ``wrap_function``, like the two after it.
        done: Called with the result.
        failed: Called with a passing exception.
    """
    # Tracking knows the frames of guards by the free variables of these names.
    _cg_function = _cg_afunction = failed

    def call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001
        scope = opened()
        try:
            value = wrapped(*args, **kwargs)
        except BaseException as error:
            _cg_function(error, scope)
            raise
        return _outcome(*done(value, scope))

    async def acall(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001
        _cg_scope = Scope()
        _cg_scope.token = var.set(_cg_scope)
        opened(_cg_scope)
        try:
            value = await wrapped(*args, **kwargs)
        except BaseException as error:
            _cg_afunction(error, _cg_scope)
            raise
        return _outcome(*done(value, _cg_scope))

    return _GuardedCallable(target, acall if is_async else call, again)


def _outcome(value: Any, error: BaseException | None) -> Any:
    """Raise the error or hand out the value, leaving no reference cycle."""
    if error is None:
        return value
    try:
        raise error
    finally:
        del error, value


def _rebuild(again: Callable[[Any], Any], wrapped: Any) -> Any:
    return again(wrapped)
