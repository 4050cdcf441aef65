"""Promised coroutines, whose results are judged when they are awaited."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

import pytest
import wrapt

from coroguard import (
    CoroutineLeakError,
    Event,
    HealthReport,
    LeakKind,
    guard,
    mode,
    subscribe,
)
from coroguard._runtime.collector import collect

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


async def twin() -> bool:
    return True


def counted(function: Any) -> Any:
    """Wrap a function as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


async def fetch(value: Any = 1) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


async def leak() -> Any:
    return {"a": [twin()]}


def copied(function: Any) -> Any:
    """Wrap a function as decorators do that copy its attributes last."""
    wrapper = counted(function)
    vars(wrapper).update(vars(function))
    return wrapper


def timed(function: Any) -> Any:
    """Wrap a function in a coroutine of the decorator's own, as timers do."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        coroutine = function(*args)

        async def run() -> Any:
            return await coroutine

        return run()

    return wrapper


def limited(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return asyncio.wait_for(function(*args), 30)

    return wrapper


class Retried:
    """A decorator that is a class, with an async method that calls the function."""

    def __init__(self, function: Any) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.run(*args)

    async def run(self, *args: Any) -> Any:
        return await self.function(*args)


@counted
def typed(value: Any = 1) -> Awaitable[Any]:
    return fetch(value)


FORMS: dict[str, Callable[..., Any]] = {
    "wrapper": counted(fetch),
    "two wrappers": counted(counted(fetch)),
    "partial": functools.partial(counted(fetch)),
    "cache": functools.lru_cache(fetch),
    "guard under it": counted(guard(returns=Any)(fetch)),
    "guarded wrapper": guard(returns=Any)(counted(fetch)),
    "guard under a copy": copied(guard(returns=Any)(fetch)),
    "proxy of a wrapper": wrapt.decorator(
        lambda it, _, args, named: it(*args, **named)
    )(counted(fetch)),
    "timer": timed(fetch),
    "two timers": timed(timed(fetch)),
    "time limit": limited(fetch),
    "class": Retried(fetch),
    "annotation": typed,
}


@pytest.fixture
def events() -> Iterator[list[Event]]:
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    with mode("strict"):
        yield seen
    unsubscribe()


@pytest.mark.parametrize("form", FORMS)
def test_a_promised_coroutine_is_awaited_as_before(
    form: str, events: list[Event]
) -> None:
    """The result, its identity and the exceptions are those of the bare function."""
    check = guard(returns=Any)(FORMS[form])
    value, error = {"a": 1}, KeyError("a")
    if form != "cache":
        assert asyncio.run(check(value)) is value
        with pytest.raises(KeyError) as caught:
            asyncio.run(check(error))
        assert caught.value is error
    assert asyncio.run(check()) == 1
    assert events == []


@pytest.mark.usefixtures("events")
def test_a_promised_coroutine_looks_like_the_one_it_stands_for() -> None:
    """Whatever asks what was returned gets the answer of the bare function."""
    bare, guarded = fetch(), guard(returns=Any)(counted(fetch))()
    with contextlib.closing(bare), contextlib.closing(guarded):
        assert type(guarded) is type(bare)
        assert inspect.iscoroutine(guarded)
        assert inspect.isawaitable(guarded)
        assert inspect.getcoroutinestate(guarded) == inspect.CORO_CREATED
        for name in ("__name__", "__qualname__", "cr_await", "cr_running"):
            assert getattr(guarded, name) == getattr(bare, name)
        for name in ("co_name", "co_qualname", "co_filename", "co_firstlineno"):
            assert getattr(guarded.cr_code, name) == getattr(bare.cr_code, name)


def test_tasks_are_made_of_it(events: list[Event]) -> None:
    """Tasks, ``gather`` and ``wait_for`` take it as a coroutine."""
    check = guard(returns=Any)(counted(fetch))

    async def main() -> Any:
        task = asyncio.create_task(check(1))
        both = await asyncio.gather(check(2), check(3))
        return await task, both, await asyncio.wait_for(check(4), 5)

    assert asyncio.run(main()) == (1, [2, 3], 4)
    assert events == []


def test_its_result_is_judged_when_it_is_awaited() -> None:
    """A leak inside the awaited value raises where it is awaited, not before."""
    coroutine = guard(returns=Any)(counted(leak))()
    with pytest.raises(CoroutineLeakError) as caught:
        asyncio.run(coroutine)
    assert (caught.value.leak.kind, caught.value.leak.path) == (
        LeakKind.NESTED,
        "$.a[0]",
    )


def test_the_contract_is_that_of_the_awaited_value() -> None:
    """``returns`` speaks of what awaiting gives, as it does on an ``async def``."""
    with mode("strict"), pytest.raises(ValueError, match="wrong shape"):
        asyncio.run(guard(returns=int)(counted(fetch))("text"))
    assert asyncio.run(guard(returns=Awaitable[int])(typed)(1)) == 1


def test_one_that_is_dropped_is_one_leak(events: list[Event]) -> None:
    """Nobody awaits it: one event that names the function, and one warning."""
    check = guard(returns=Any, name="check")(counted(fetch))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check()
        collect()
    (event,) = events
    assert event.leak is not None
    assert (event.leak.kind, event.leak.name) == (LeakKind.DROPPED, "fetch")
    texts = [str(it.message).partition("\n")[0] for it in caught]
    assert texts == ["coroutine 'fetch' was never awaited"]


@pytest.mark.filterwarnings("error")
def test_one_that_is_closed_is_none(events: list[Event]) -> None:
    """A program that closes what it made is left alone."""
    check = guard(returns=Any)(counted(fetch))
    check().close()
    coroutine = check()
    coroutine.close()
    del coroutine
    with contextlib.suppress(KeyError):
        check().throw(KeyError)
    collect()
    assert events == []


def test_one_that_is_cancelled_before_it_starts_is_none(events: list[Event]) -> None:
    """A task that is cancelled before its first step leaves nothing behind."""
    check = guard(returns=Any)(counted(fetch))

    async def main() -> None:
        task = asyncio.create_task(check())
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(main())
        collect()
    assert (events, caught) == ([], [])


def test_its_traceback_ends_in_the_programs_code() -> None:
    """The frame of the guard shows the function that it stands for."""
    check = guard(returns=Any)(counted(fetch))
    try:
        asyncio.run(check(KeyError("a")))
    except KeyError as error:
        files = [it.filename for it in traceback.extract_tb(error.__traceback__)]
    assert not [file for file in files if "coroguard/_guard" in file]
    assert files[-1] == __file__


class Service:
    async def fetch(self, value: Any = 1) -> Any:
        return value


class Sender:
    """A callable object whose call is async."""

    async def __call__(self, value: Any = 1) -> Any:
        return value

    @guard(returns=Any)
    def again(self) -> Any:
        return self()


class Job:
    """A decorator that is a class, as those of task queues are."""

    def __init__(self, function: Any) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    @guard(returns=Any)
    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    @guard(returns=bool)
    def check(self) -> Any:
        return self.function()

    @guard(returns=Any)
    def other(self) -> Any:
        return twin()


def run(function: Any, *args: Any, **named: Any) -> Any:
    """Call what it is given, as retries, timers and test runners do."""
    return function(*args, **named)


@pytest.mark.parametrize(
    "given",
    [
        fetch,
        counted(fetch),
        functools.partial(fetch),
        Service().fetch,
        guard(returns=Any)(fetch),
        Sender(),
        functools.partial(Sender()),
        mock.AsyncMock(return_value=1),
        Job(fetch),
    ],
    ids=[
        *("function", "wrapped", "partial", "method", "guarded"),
        *("object", "partial of an object", "double", "object that wraps one"),
    ],
)
@pytest.mark.parametrize("by_name", [False, True])
def test_a_runner_of_the_callers_async_function_is_not_to_blame(
    given: Any, by_name: bool, events: list[Event]
) -> None:
    """A coroutine of a function that was given as an argument is its giver's."""
    runner = guard(returns=Any)(run)
    awaitable = runner(function=given) if by_name else runner(given, 1)
    assert (asyncio.run(awaitable), events) == (1, [])


def test_a_runner_of_checks_returns_no_coroutine_for_a_report() -> None:
    """Where the contract asks for a value, a check that became async is a leak."""
    for returns in (bool, dict[str, int], HealthReport):
        with pytest.raises(CoroutineLeakError):
            guard(returns=returns)(run)(fetch, 1)


def test_a_coroutine_that_no_argument_made_is_a_leak() -> None:
    """Only what the caller's own function made is the caller's."""

    def made(function: Any) -> Any:
        return fetch(function(1))

    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(made)(int)


def test_another_functions_coroutine_is_not_promised_by_a_wrapper() -> None:
    """That it looks like an ``async def`` excuses only what has to do with that one."""

    @functools.wraps(fetch)
    def wrapper() -> Any:
        return twin()

    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(wrapper)()


def test_a_decorator_that_is_a_class_is_not_to_blame_for_an_async_function(
    events: list[Event],
) -> None:
    """Its ``__call__`` returns the coroutine of the function that it wraps."""
    assert (asyncio.run(Job(fetch)(1)), events) == (1, [])
    for leaks in (Job(fetch).check, Job(fetch).other):
        with pytest.raises(CoroutineLeakError):
            leaks()


def test_self_is_not_given_by_the_caller() -> None:
    """A method that returns the coroutine of its own object lets it escape."""
    with pytest.raises(CoroutineLeakError):
        Sender().again()


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (functools.partial(fetch), "fetch"),
        (FORMS["proxy of a wrapper"], "fetch"),
        (Sender(), "Sender.__call__"),
        (functools.partial(Sender()), "Sender.__call__"),
        (mock.AsyncMock(), "AsyncMock"),
    ],
    ids=["partial", "proxy", "object", "partial of an object", "double"],
)
def test_a_drop_of_a_guarded_object_has_the_name_and_the_place_of_what_it_calls(
    target: Any, name: str, events: list[Event]
) -> None:
    """No name of the guard's own is in the event, which is the guard's."""
    check = guard(returns=Any, name="check")(target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check()
    (event,) = events
    assert event.leak is not None
    assert (event.leak.name, event.guarded) == (name, "check")
    assert "coroguard" not in event.leak.defined.replace("/tests/", "")


def either(value: Any) -> int | Awaitable[int]:
    return fetch(value) if value else value  # type: ignore[no-any-return]


def of_unknown(value: Any) -> "Awaitable[Unknown]":  # type: ignore[name-defined]  # noqa: F821, UP037
    return fetch(value)


def either_unknown(value: Any) -> "Unknown | Awaitable[int]":  # type: ignore[name-defined]  # noqa: F821, UP037
    return fetch(value)


@pytest.mark.parametrize("function", [either, of_unknown, either_unknown])
def test_the_awaited_value_is_held_to_its_own_part_of_the_annotation(
    function: Any, events: list[Event]
) -> None:
    """In a union and in text, what is awaited is not taken for a report."""
    assert asyncio.run(guard(function)(1)) == 1
    assert [event.error for event in events if event.error] == []


def test_the_awaited_part_of_a_union_is_checked() -> None:
    """``int | Awaitable[int]`` asks for a number when it is awaited, too."""
    with mode("strict"), pytest.raises(ValueError, match="wrong shape"):
        asyncio.run(guard(either)("text"))


class Commands:
    """The commands of a client, sync or async."""

    execute: Any

    @guard(returns=Any)
    def evaluate(self, script: str) -> Any:
        return self.execute(script)

    @guard(returns=Any)
    def count(self) -> int:
        return self.execute("1")  # type: ignore[no-any-return]


class AsyncClient(Commands):
    async def execute(self, script: str) -> str:
        return script


class Client(Commands):
    def execute(self, script: str) -> str:
        return script


def test_a_mixin_that_returns_any_is_not_to_blame_for_an_async_subclass(
    events: list[Event],
) -> None:
    """``-> Any`` covers both what a sync and what an async subclass gives."""
    assert Client().evaluate("a") == asyncio.run(AsyncClient().evaluate("a")) == "a"
    assert events == []
    with pytest.raises(CoroutineLeakError):
        AsyncClient().count()


def for_both(function: Any) -> Any:
    """Wrap a sync and an async function of the same name, as template filters do."""

    def decorate(async_function: Any) -> Any:
        @functools.wraps(function, assigned=("__doc__", "__annotations__"))
        @functools.wraps(async_function, assigned=("__name__", "__qualname__"))
        def both(is_async: bool) -> Any:
            return async_function() if is_async else function()

        return both

    return decorate


def first_sync() -> int:
    return 1


@guard(returns=Any)
@for_both(first_sync)
async def first() -> int:
    return 2


def or_else(function: Any, other: Any) -> Any:
    @functools.wraps(function)
    def call() -> Any:
        return other()

    return call


def test_a_wrapper_for_both_colours_is_named_after_the_async_one(
    events: list[Event],
) -> None:
    """It promises the coroutine of the function from which it has its name."""
    assert first(False) == 1
    assert asyncio.run(first(True)) == 2
    assert events == []


def test_a_fallback_in_another_colour_is_no_namesake() -> None:
    """A wrapper that is named after a sync function promises nothing else."""
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(or_else(first_sync, twin))()
