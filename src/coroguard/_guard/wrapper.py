"""How does a guard's wrapper get its function's own signature, name and place?"""

# A wrapper that takes ``*args, **kwargs`` costs twice what one with the exact
# signature does, so the wrapper's source is written for each function and
# compiled under the function's own file and line: a traceback that ends in the
# wrapper shows the decorated ``def``.

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from .._inspect.guarded import ASYNC_MARK, MARK, QUIET_MARK
from .._runtime import drops as tracking
from .._runtime import hot as _hot

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FunctionType

__all__ = ["wrap_function"]

_TEMPLATE = """
def _cg_make({target}, _cg_hooks):
    {a}def _cg_wrapper({parameters}):
        {enter}
        try:
            _cg_value = {awaits}{target}({arguments})
        except BaseException as _cg_error:
            _cg_hooks[2](_cg_error, _cg_scope)
            raise
        {fast}
        _cg_value, _cg_error = _cg_hooks[1](_cg_value, _cg_scope)
        if _cg_error is None:
            return _cg_value
        try:
            raise _cg_error
        finally:
            del _cg_error, _cg_value
    return _cg_wrapper
"""
# A sync call opens a scope on alert only: its frame is its mark. An async call
# always has one: its child tasks are not on its stack.
_ENTER = "_cg_scope = _cg_hooks[0]() if {alert} else None"
_ENTER_ASYNC = """_cg_scope = _cg_Scope()
        _cg_scope.token = _cg_set(_cg_scope)
        if {alert}:
            _cg_hooks[0](_cg_scope)"""
_FAST = """if _cg_type(_cg_value) {test}:
            return _cg_value"""
_FAST_ASYNC = """if not _cg_scope and _cg_type(_cg_value) {test}:
            _cg_scope.closed = True
            try:
                _cg_reset(_cg_scope.token)
            except ValueError:
                pass
            return _cg_value"""


def wrap_function(
    function: FunctionType,
    *,
    is_async: bool,
    scalar: type | None,
    dropped: bool,
    always: bool,
    opened: Callable[..., Any],
    done: Callable[[Any, Any], tuple[Any, BaseException | None]],
    failed: Callable[[BaseException, Any], None],
) -> Any:
    """Return a wrapper of ``function`` with its signature, name, file and line.

    Args:
        function: A plain Python function.
        is_async: Whether to await its result.
        scalar: Instances of exactly this type need no further look;
            ``object`` stands for every scalar, ``None`` for no value at all.
        dropped: Whether coroutines dropped inside belong to this call.
        always: Call ``opened`` at every call, not only on alert.
        opened: Called before; a sync call gets a scope or ``None`` from it, an
            async call hands its own to it.
        done: Called with the result and the scope; returns the object to hand
            out and the error to raise.
        failed: Called with a passing exception and the scope.
    """
    parameters, arguments = _signature(function)
    scoped = is_async and dropped
    known = _hot.SCALARS.get(scalar) if scalar is not None else None
    test = f"is {known}" if known else "in _cg_atoms"
    enter, fast = (_ENTER_ASYNC, _FAST_ASYNC) if scoped else (_ENTER, _FAST)
    make = _factory(
        _TEMPLATE.format(
            a="async " if is_async else "",
            awaits="await " if is_async else "",
            target=(ASYNC_MARK if is_async else MARK) if dropped else QUIET_MARK,
            parameters=parameters,
            arguments=arguments,
            enter=enter.format(alert="True" if always else "ALERT"),
            fast="" if scalar is None or always else fast.format(test=test),
        )
    )
    wrapper = make(function, (opened, done, failed))
    wrapper.__code__ = placed(wrapper.__code__, function.__code__)
    functools.update_wrapper(wrapper, function)
    wrapper.__defaults__ = function.__defaults__
    wrapper.__kwdefaults__ = function.__kwdefaults__
    return wrapper


_globals = _hot.__dict__  # so that a wrapper reads ALERT as its own global
_globals.update(
    _cg_Scope=tracking.Scope, _cg_set=tracking.var.set, _cg_reset=tracking.var.reset
)


@functools.lru_cache(maxsize=256)
def _factory(source: str) -> Any:
    """Compile a wrapper's factory, once for all functions of the same shape."""
    namespace: dict[str, Any] = {}
    exec(compile(source, __file__, "exec"), _globals, namespace)
    return namespace["_cg_make"]


def placed(code: CodeType, original: CodeType) -> CodeType:
    """Give a wrapper's code the name and the place of its function.

    Source: ``Objects/locations.md``; an entry covers at most 8 code units, and
    form 13 has a line, here always the first one, and no columns.
    """
    units = len(code.co_code) // 2
    table = bytearray()
    while units:
        step = min(units, 8)
        table += bytes((0x80 | 13 << 3 | step - 1, 0))
        units -= step
    return code.replace(
        co_filename=original.co_filename,
        co_firstlineno=original.co_firstlineno,
        co_linetable=bytes(table),
        co_name=original.co_name,
        co_qualname=original.co_qualname,
    )


def _signature(function: FunctionType) -> tuple[str, str]:
    """Return the parameter list and the argument list that passes all of it on."""
    code = function.__code__
    names = code.co_varnames
    positional = list(names[: code.co_argcount])
    keyword = list(names[code.co_argcount :][: code.co_kwonlyargcount])
    rest = code.co_argcount + code.co_kwonlyargcount
    first_default = len(positional) - len(function.__defaults__ or ())
    keyword_defaults = function.__kwdefaults__ or {}
    parameters = [
        name if index < first_default else f"{name}=None"
        for index, name in enumerate(positional)
    ]
    arguments = list(positional)
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    if code.co_flags & inspect.CO_VARARGS:
        parameters.append(f"*{names[rest]}")
        arguments.append(f"*{names[rest]}")
        rest += 1
    elif keyword:
        parameters.append("*")
    for name in keyword:
        parameters.append(f"{name}=None" if name in keyword_defaults else name)
        arguments.append(f"{name}={name}")
    if code.co_flags & inspect.CO_VARKEYWORDS:
        parameters.append(f"**{names[rest]}")
        arguments.append(f"**{names[rest]}")
    return ", ".join(parameters), ", ".join(arguments)
