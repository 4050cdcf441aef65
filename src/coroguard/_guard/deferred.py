"""Promised coroutines, whose results are judged when they are awaited."""

# A sync function may return a coroutine that its caller expects: because its
# annotation or its contract promises one, or because it wraps a coroutine function.

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from inspect import iscoroutinefunction
from time import perf_counter
from types import (
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import TYPE_CHECKING, Any

from .._inspect.annotations import annotations_of
from .._inspect.awaitables import ids, static_type_attribute, what_is
from .._inspect.callables import (
    BINDINGS,
    HOLDERS,
    METHODS,
    PARTIALS,
    PROXIES,
    closure_of,
    is_marked_async,
    layers,
    unwrap,
)
from .._runtime import drops as tracking
from .._runtime.hot import HOT
from .._runtime.modes import Mode
from .judge import judge
from .timing import emit_done, emit_ended
from .wrapper import placed

if TYPE_CHECKING:
    from .terms import Terms

#: Kinds of arguments of a call that are looked at.
_GIVEN = ids(FunctionType, MethodType, functools.partial)
#: So many coroutines are searched for that of the wrapped function.
_MOST_DRIVEN = 16
_LAYERS = (*PARTIALS, *BINDINGS, *METHODS, *PROXIES, *HOLDERS)


def is_promised(terms: Terms, value: object, call: FrameType | None = None) -> bool:
    """Return whether callers expect the coroutine that a sync function returned.

    Other promised awaitables, such as tasks and lazy queries, are returned as
    they are: more can be done with them than to await them.

    Args:
        terms: Those of the guard.
        value: The coroutine that the function returned.
        call: The frame of the guard's wrapper, which shows the arguments.
    """
    if terms.is_async or terms.mode is Mode.OFF:
        return False
    if is_marked_async(terms.function):
        return True
    chain = list(layers(terms.function, through=_LAYERS))
    wrapped = [*chain[1:], *_namesakes(terms.function)]
    if terms.announce(value) or _is_of(wrapped, value) or _drives(value, chain):
        return True
    if call is None or not terms.contract.is_open:
        return False
    # A caller who passes an async function to one that calls its argument expects
    # the coroutine, unless the contract asks for another value.
    given = [*_functions_given(call), *_methods_of_subclass(terms, value, call)]
    return any(_is_of(layers(it, through=_LAYERS), value) for it in given) or (
        _is_called_object(terms, value, call)
    )


def deferred(terms: Terms, awaitable: Any) -> Any:
    """Return a coroutine that awaits, judges the result, and returns it.

    It has the name, the code's place and the state of the one that it stands for.
    """
    code = _code_of(awaitable)
    make: Any = _awaited if code is None else _placed_like(code)
    coroutine = make(awaitable, terms, _Closing(awaitable))
    coroutine.__name__ = awaitable.__name__
    coroutine.__qualname__ = awaitable.__qualname__
    return coroutine


class _Closing:
    """Closes a promised coroutine with the one that stands for it.

    One that is closed or cancelled before it starts never gets to await the other,
    which the program closed as well, as far as it knows.
    """

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable

    def __del__(self) -> None:
        if not tracking.is_dropping(self.awaitable) and what_is(self.awaitable):
            self.awaitable.close()


async def _awaited(awaitable: Any, terms: Terms, closing: _Closing) -> Any:
    is_announced = terms.announce(awaitable)
    by_contract = terms.contract.promises(awaitable)
    contract = terms.contract.of_awaited() if by_contract else terms.contract
    terms = replace(terms, contract=contract, awaited=is_announced)
    started = perf_counter() if HOT.timed else None
    try:
        value = await awaitable
    except BaseException as exception:
        emit_ended(terms, exception, started)
        raise
    del closing
    error: BaseException | None = None
    wrong = None
    if not contract.is_plainly_right(value):
        error, wrong = judge(terms, value, what_is(value), [], started)
    emit_done(terms, value, wrong, started)
    if error is None:
        return value
    try:
        raise error
    finally:
        del error, value


@functools.lru_cache(maxsize=1_024)
def _placed_like(code: CodeType) -> Any:
    """Return ``_awaited`` with the name and the place of other code."""
    own = placed(_awaited.__code__, code)
    # By its last constant, an outer guard knows what such a coroutine stands for.
    made = FunctionType(own.replace(co_consts=(*own.co_consts, code)), globals())
    tracking.stands_for_promised(made)
    return made


def _is_of(functions: Iterable[Any], value: object) -> bool:
    """Return whether a coroutine was made by one of these functions."""
    code = _code_of(value)
    if code is None:
        return False
    known = [code, *code.co_consts[-1:]]
    terms = tracking.terms_of(value)
    if terms is not None:
        known.append(getattr(terms.function, "__code__", None))
    return any(
        type(it) is FunctionType and any(it.__code__ is one for one in known)
        for it in functions
    )


def _drives(value: Any, chain: list[Any]) -> bool:
    """Return whether a coroutine has got hold of the coroutine function it wraps.

    So does one that a decorator makes to await the function's own: a timer, a retry,
    ``asyncio.wait_for``.
    """
    if not any(map(iscoroutinefunction, chain[1:])):
        return False
    waiting = [value]
    for one in waiting:  # grows while it is read
        frame = getattr(one, "cr_frame", None)
        for held in () if frame is None else frame.f_locals.values():
            if any(held is it for it in chain) or _is_of(chain[1:], held):
                return True
            if type(held) is CoroutineType and len(waiting) < _MOST_DRIVEN:
                waiting.append(held)
    return False


def _namesakes(function: Any) -> Iterator[Any]:
    """Yield what a wrapper closes over and has its own name from.

    A wrapper around a sync and an async function has the name of the latter where
    the function behind it is the former.
    """
    if type(function) is not FunctionType:
        return
    name = function.__qualname__
    if name != function.__code__.co_qualname:  # else it is its own
        for held in closure_of(function).values():
            if type(held) is FunctionType and held.__qualname__ == name:
                yield from layers(held, through=_LAYERS)


def _functions_given(call: FrameType) -> Iterator[Any]:
    """Yield the functions, and the objects that wrap one, of a guarded call.

    ``self`` is one of them where its class is a decorator.
    """
    for it in _arguments(call):
        if id(type(it)) in _GIVEN or any(layer.is_one(it) for layer in HOLDERS):
            yield it


def _arguments(call: FrameType) -> Iterator[Any]:
    """Yield what a guarded function was called with, ``*args`` one by one."""
    for name, given in call.f_locals.items():
        if name not in call.f_code.co_freevars:
            yield from given if type(given) is tuple else [given]


def _is_called_object(terms: Terms, value: Any, call: FrameType) -> bool:
    """Return whether a coroutine runs a method of a callable object that was given.

    Its ``__call__`` may be async, or return the coroutine of another method, as
    that of a test double does. ``self`` was not given by the caller.
    """
    code = _code_of(value)
    frame = getattr(value, "cr_frame", None)
    if frame is None or not code.co_argcount:
        return False
    owner = frame.f_locals.get(code.co_varnames[0])
    kind, name = type(owner), getattr(terms.function, "__name__", "")
    return (
        static_type_attribute(kind, "__call__") is not None
        and static_type_attribute(kind, name) is None
        and any(unwrap(it, through=PARTIALS) is owner for it in _arguments(call))
    )


def _methods_of_subclass(terms: Terms, value: object, call: FrameType) -> Iterator[Any]:
    """Yield the method of ``self`` that a mixin leaves to its subclasses.

    A client's commands are often written once, for a sync and an async client: the
    method that sends them is another class's, and ``-> Any`` covers both results.
    """
    function, code = terms.function, _code_of(value)
    if type(function) is not FunctionType or not function.__code__.co_argcount:
        return
    owner = function.__qualname__.rpartition(".")[0]
    if code is None or not owner or code.co_qualname.startswith(f"{owner}."):
        return
    if annotations_of(function, only="return").get("return") is Any:
        itself = call.f_locals.get(function.__code__.co_varnames[0])
        yield static_type_attribute(type(itself), code.co_name)


def _code_of(value: Any) -> Any:
    if type(value) is CoroutineType:
        return value.cr_code
    return value.gi_code if type(value) is GeneratorType else None


tracking.stands_for_promised(_awaited)
