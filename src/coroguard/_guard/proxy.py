"""Guards on callables that are not plain functions."""

# wrapt's ``FunctionWrapper`` stays true to what it wraps (attributes, ``isinstance``,
# binding), at several times the cost of the wrapper that plain functions get.

from __future__ import annotations

import contextlib
import copy
import functools
import sys
from dataclasses import replace
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import wrapt

from .._inspect.callables import PROXIES, is_async, name_of, unwrap
from .._inspect.colours import plain_function
from .wrapper import marked, placed

if TYPE_CHECKING:
    from .hooks import Hooks


class _GuardedCallable(wrapt.FunctionWrapper[Any, Any]):
    """A guarded partial, built-in function, callable object or wrapped method.

    Copies and pickles as the wrapped object, guarded again; and as itself where
    the wrapped object stays itself, as one with a cache does.
    """

    def __init__(self, wrapped: Any, wrapper: Any, hooks: Hooks) -> None:
        super().__init__(wrapped, wrapper)
        self._self_hooks = hooks

    @property
    def __coroguard__(self) -> Hooks:
        return self._self_hooks

    terms = __coroguard__  # as hooks have it

    def __copy__(self) -> Any:
        return self._copied(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._copied(copy.deepcopy(self.__wrapped__, memo))

    def _copied(self, target: Any) -> Any:
        if target is self.__wrapped__:
            return self
        return _again(target, self.__coroguard__)

    def _is_known_as(self, name: str) -> bool:
        """Return whether its module has the guard in the place of the object."""
        found: Any = sys.modules.get(getattr(self.__wrapped__, "__module__", ""))
        for part in name.split("."):
            found = getattr(found, part, None)
        return found is self

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(2)

    def __reduce_ex__(self, protocol: Any) -> Any:
        name: Any = None
        with contextlib.suppress(Exception):  # `copyreg` may know how, it does not
            name = self.__wrapped__.__reduce_ex__(protocol)
        if type(name) is str and self._is_known_as(name):
            return name
        return _again, (self.__wrapped__, self.__coroguard__)


async def _acall(guarded: Any, /, *args: Any, **kwargs: Any) -> Any:
    call: Any = guarded._self_wrapper
    return await call(guarded.__wrapped__, None, args, kwargs)


@functools.lru_cache(maxsize=1_024)
def _async_kind(code: CodeType, mark: str) -> Any:
    """Return a class of guards whose ``__call__`` is async, as this code is."""
    own = _acall.__code__
    named = own.replace(co_varnames=(mark, *own.co_varnames[1:]))
    call = FunctionType(placed(named, code), globals())
    return type(_GuardedCallable.__name__, (_GuardedCallable,), {"__call__": call})


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
    code = marked(chosen.__code__, hooks.mark)
    if hooks.is_async:
        code = _like(code, hooks)
    wrapper = FunctionType(code, globals(), code.co_name, None, chosen.__closure__)
    wrapper.__qualname__ = code.co_qualname
    method = getattr(type(target), "__call__", None)  # noqa: B004
    kind: Any = _GuardedCallable
    if type(method) is FunctionType and is_async(target) and is_async(method):
        kind = _async_kind(method.__code__, hooks.mark)
    return kind(target, wrapper, hooks)


def _like(code: CodeType, hooks: Hooks) -> CodeType:
    """Make the coroutines of a guard look like those of its target."""
    function: Any = plain_function(unwrap(hooks.function, through=PROXIES))
    if function is not None:
        code = placed(code, function.__code__)
    if function is None or not is_async(function):
        name = name_of(hooks.function)
        code = code.replace(co_name=name.rpartition(".")[2], co_qualname=name)
    return code


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
