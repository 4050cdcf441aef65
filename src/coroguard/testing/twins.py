"""Twins: functions in the other colour."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from .._guard.supported import refuse
from .._inspect.callables import PARTIALS, is_async, name_of, unwrap
from .errors import usage_error

P = ParamSpec("P")
R = TypeVar("R")


def async_twin(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return a coroutine function of the same name, signature and result.

    Its coroutines have the place of ``function``, so that messages name it.

    Raises:
        GuardUsageError: It is a coroutine function already, or a class, a
            property, a generator function, or cannot be called.
    """
    refuse(function, "async_twin")
    if is_async(function):
        raise usage_error(
            f"{name_of(function)} is a coroutine function already; "
            f"use sync_twin({name_of(function)})."
        )

    async def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    _make_alike(twin, function)
    return twin


def sync_twin(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Return a sync function of the same name, signature and result.

    It runs the coroutine to its end in an event loop of its own; where one runs
    already, in another thread, with this context's variables.

    Raises:
        GuardUsageError: It is not a coroutine function.
    """
    refuse(function, "sync_twin")
    if not is_async(function):
        raise usage_error(
            f"{name_of(function)} is not a coroutine function; "
            f"use async_twin({name_of(function)})."
        )

    def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return _finished(function(*args, **kwargs))

    _make_alike(twin, function)
    return twin


def _make_alike(twin: Any, original: Any) -> None:
    """Copy name, signature and place of the original to its twin."""
    named = unwrap(original, through=PARTIALS)
    functools.update_wrapper(twin, named)
    del twin.__wrapped__  # or a reader would take the colour of the original
    with suppress(TypeError, ValueError):  # built-in functions may have none
        twin.__signature__ = inspect.signature(original)
    function = getattr(named, "__func__", named)
    if type(function) is FunctionType:
        code = function.__code__
        twin.__code__ = twin.__code__.replace(
            co_filename=code.co_filename,
            co_firstlineno=code.co_firstlineno,
            co_name=code.co_name,
            co_qualname=code.co_qualname,
        )


def _finished(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine to its end, whether or not a loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    done: list[R] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(asyncio.run(coroutine))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=copy_context().run, args=(run,))
    thread.start()
    thread.join()
    if failed:
        raise failed.pop()
    return done.pop()
