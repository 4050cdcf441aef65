"""Wrappers of plain functions, with the function's own signature, name and place."""

# A wrapper that takes ``*args, **kwargs`` costs twice what one with the exact
# signature does. So its code is compiled once for each shape of a signature and then
# gets the names, the file and the line of the function: a traceback that ends in the
# wrapper shows the decorated ``def``. It runs in the function's own globals, so that
# warnings and everything else that asks a frame for its module get the right one;
# what it needs of ours, it closes over. When the function ends, it lets go of its
# arguments: a traceback may keep its frame, and one of them may hold the exception.

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._inspect.callables import TERMS
from .._runtime.hot import HOT

if TYPE_CHECKING:
    from .hooks import Hooks

_TEMPLATE = """
def make(function, hooks, hot, id, own_class, type):
    {a}def wrapper({parameters}):
        {mention}
        if {alert}:
            {opens}
            try:
                value = {opened_call}
            except:
                hooks.failed(scope)
                del scope{names}
                raise
        else:
            try:
                value = {awaits}function({arguments})
            except:
                hooks.failed(None)
                {forget}
                raise
            if {is_right}:
                {forget}
                return value
            scope = None
        value, scope = hooks.done(value, scope)
        {forget}
        if scope is None:
            return value
        try:
            raise scope
        finally:
            del value, scope
    return wrapper
"""
# The coroutine of an async function runs nothing before it is awaited, and is made
# before the origins of coroutines are tracked, which would cost more than all else.
_SYNC = ("scope = hooks.opened()", "function({arguments})")
_ASYNC = ("scope = None", "await (function({arguments}), scope := hooks.opened())[0]")

#: Ask a result whether it is right without a further look, the likeliest type first.
_SCALAR = ("type(value) is hot.int", "value is hot.none", "type(value) is hot.bool")
_OPEN = ("id(type(value)) in hot.quiet", "not hot.alert and hooks.is_quiet(value)")
_CLOSED = ("not hot.alert and hooks.contract.is_plainly_right(value)",)
#: The free variable of a method that uses ``super()``.
_CLASS = "__class__"
#: The cells that every wrapper closes over.
_SHARED = {
    name: CellType(value) for name, value in (("hot", HOT), ("id", id), ("type", type))
}

#: The local variables of the template: ``value``, and ``scope``, later the error.
_OWN_NAMES = 2


class _Shape(NamedTuple):
    """All that the code of a wrapper depends on.

    Args:
        is_async: Whether it awaits the function.
        positional: The number of parameters that can be positional.
        keyword: The number of those that are keyword-only.
        more: Whether there is an ``*args``.
        rest: Whether there is a ``**kwargs``.
        alert: When the thorough way is taken.
        is_right: Whether a result needs no further look.
        has_class: Whether the function uses ``super()`` or ``__class__``.
    """

    is_async: bool
    positional: int
    keyword: int
    more: bool
    rest: bool
    alert: str
    is_right: str
    has_class: bool


def wrap_function(
    function: FunctionType,
    hooks: Hooks,
    *,
    scalar: type | None,
    always: bool,
    is_check: bool = False,
) -> Any:
    """Return a function that looks like ``function`` and is guarded.

    Args:
        function: A plain Python function, sync or async.
        hooks: Those of the guard.
        scalar: The type that needs no further look; ``object`` for all such types,
            ``None`` for none.
        always: Whether every call is opened.
        is_check: Whether it may be a health check, whose calls can be subscribed to.
    """
    code = function.__code__
    shape = _Shape(
        is_async=bool(code.co_flags & inspect.CO_COROUTINE),
        positional=code.co_argcount,
        keyword=code.co_kwonlyargcount,
        more=bool(code.co_flags & inspect.CO_VARARGS),
        rest=bool(code.co_flags & inspect.CO_VARKEYWORDS),
        alert="True" if always else "hot.check_alert" if is_check else "hot.alert",
        is_right=" or ".join(_checks(scalar, is_open=hooks.contract.is_open)),
        has_class=_CLASS in code.co_freevars,
    )
    cells = {**_SHARED, "function": CellType(function), "hooks": CellType(hooks)}
    if shape.has_class:
        # Tools that make a class anew, as attrs for slots, fill the cells of methods.
        cells["own_class"] = function.__closure__[code.co_freevars.index(_CLASS)]  # type: ignore[index]
    compiled = _compiled(shape)
    closure = tuple([cells[name] for name in compiled.co_freevars])
    wrapper = FunctionType(
        marked(_with_signature(placed(compiled, code), code), hooks.mark),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        closure,
    )
    wrapper.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(wrapper, function)
    setattr(wrapper, TERMS, hooks)
    return wrapper


def _checks(scalar: type | None, *, is_open: bool) -> Iterator[str]:
    """Yield what is asked about a result, one after the other."""
    if scalar is object:
        yield from _SCALAR
    elif scalar is type(None):
        yield "value is hot.none"
    elif scalar is not None:
        yield f"type(value) is hot.{scalar.__name__}"
    yield from _OPEN if is_open else _CLOSED


def marked(code: CodeType, mark: str) -> CodeType:
    """Rename the free variable ``hooks``, by which frames of guards are known.

    The others get names that no parameter can have, so that a frame shows both.
    """
    names = [mark if name == "hooks" else f"<{name}>" for name in code.co_freevars]
    return code.replace(co_freevars=tuple(names))


@functools.lru_cache(maxsize=256)
def _compiled(shape: _Shape) -> CodeType:
    """Compile the wrapper of all functions of one shape."""
    positional = [f"p{number}" for number in range(shape.positional)]
    keyword = [_placeholder(number) for number in range(shape.keyword)]
    more, rest = ["*more"] * shape.more, ["**rest"] * shape.rest
    star = ["*"] if keyword and not more else []
    named = [f"{name}={name}" for name in keyword]
    arguments = ", ".join([*positional, *more, *named, *rest])
    opens, opened_call = _ASYNC if shape.is_async else _SYNC
    names = [*positional, *("more",) * shape.more, *keyword, *("rest",) * shape.rest]
    source = _TEMPLATE.format(
        a="async " if shape.is_async else "",
        awaits="await " if shape.is_async else "",
        parameters=", ".join([*positional, *(more or star), *keyword, *rest]),
        arguments=arguments,
        opens=opens,
        opened_call=opened_call.format(arguments=arguments),
        alert=shape.alert,
        is_right=shape.is_right,
        mention="if 0: own_class" if shape.has_class else "",
        names="".join(f", {name}" for name in names),
        forget=f"del {', '.join(names)}" if names else "pass",
    )
    made: dict[str, Any] = {}
    exec(compile(source, __file__, "exec"), made)
    wrapper: FunctionType = made["make"](*[None] * 6)
    return wrapper.__code__


def _placeholder(number: int) -> str:
    return f"keyword_{number}"


def placed(code: CodeType, original: CodeType) -> CodeType:
    """Return a wrapper's code with the name and the place of its function."""
    return code.replace(
        co_filename=original.co_filename,
        co_firstlineno=original.co_firstlineno,
        co_linetable=_on_first_line(code),
        co_name=original.co_name,
        co_qualname=original.co_qualname,
    )


def _on_first_line(code: CodeType) -> bytes:
    """Return the table of a code whose every instruction is on its first line.

    Source: ``Objects/locations.md``; an entry covers at most 8 code units, and
    form 13 has a line, here always the first one, and no columns. The table of
    PyPy has another form, and no traceback can be printed with this one.
    """
    if sys.implementation.name != "cpython":
        return code.co_linetable
    units = len(code.co_code) // 2
    table = bytearray()
    while units:
        step = min(units, 8)
        table += bytes((0x80 | 13 << 3 | step - 1, 0))
        units -= step
    return bytes(table)


def _with_signature(code: CodeType, original: CodeType) -> CodeType:
    """Return a wrapper's code with the parameters of its function."""
    count = len(code.co_varnames) - _OWN_NAMES
    names, first = original.co_varnames[:count], original.co_argcount
    placeholders = map(_placeholder, range(original.co_kwonlyargcount))
    keyword = dict(zip(placeholders, names[first:], strict=False))
    # Names that are not identifiers cannot be those of a parameter.
    own = [f"<{name}>" for name in code.co_varnames[count:]]
    return code.replace(
        co_posonlyargcount=original.co_posonlyargcount,
        co_varnames=(*names, *own),
        co_consts=tuple([_renamed(const, keyword) for const in code.co_consts]),
    )


def _renamed(const: Any, names: dict[str, str]) -> Any:
    """Put the names of keyword arguments in the place of the placeholders."""
    if isinstance(const, str):
        return names.get(const, const)
    if isinstance(const, tuple):
        return tuple([_renamed(it, names) for it in const])
    return const
