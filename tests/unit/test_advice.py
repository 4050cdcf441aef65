"""The advice of a leak fits the place where it helps."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
from collections.abc import Iterator
from functools import cached_property
from types import FrameType
from typing import Any

import pytest

from coroguard import Leak, LeakKind, explain
from coroguard._leaks.origins import is_library, record

GUARDED = "login"


async def fetch() -> int:
    return 1


class Device:
    @property
    async def is_online(self) -> bool:
        return False

    @cached_property
    async def is_cached(self) -> bool:
        return False

    async def check(self) -> bool:
        return False


@pytest.fixture
def made() -> Iterator[list[Any]]:
    """Close the coroutines that a test collects."""
    coroutines: list[Any] = []
    yield coroutines
    for coroutine in coroutines:
        coroutine.close()


def dropped(coroutine: Any, frame: FrameType | None = None) -> Leak:
    leak = record(LeakKind.DROPPED, "coroutine", coroutine, frame=frame)
    return leak.within(GUARDED, is_async=False)


def test_the_guarded_function_is_to_become_async(made: list[Any]) -> None:
    """Where nothing else is known, the guarded function made the call."""
    made.append(fetch())
    assert dropped(made[0]).advice == (
        "await fetch(...) where it is called, and make login async, "
        "or call a synchronous twin"
    )


@pytest.mark.parametrize("name", ["is_online", "is_cached"])
def test_an_async_property_is_awaited_without_a_call(
    name: str, made: list[Any]
) -> None:
    """A property cannot be called, so its attribute is awaited."""
    made.append(getattr(Device(), name))
    assert dropped(made[0]).advice.startswith(f"await .{name} where it is read, and")


def test_a_method_is_not_taken_for_a_property(made: list[Any]) -> None:
    """A method of a class is called."""
    made.append(Device().check())
    assert dropped(made[0]).advice.startswith("await Device.check(...) where it is")


def test_a_property_of_a_local_class_is_known(made: list[Any]) -> None:
    """A class that no module holds is found by the instance."""

    class Local:
        @property
        async def state(self) -> int:
            return 1

    made.append(Local().state)
    assert dropped(made[0]).use == "property"


def limiter(coroutine: Any) -> Leak:
    return dropped(coroutine, sys._getframe())


def test_the_function_that_made_the_call_is_named(made: list[Any]) -> None:
    """Where another function dropped the coroutine, the advice is about that one."""
    made.append(fetch())
    leak = limiter(made[0])
    assert leak.advice == (
        "await fetch(...) where limiter calls it, or use a synchronous twin there"
    )
    assert leak.lost.startswith("tests/unit/test_advice.py:")


def test_a_comprehension_belongs_to_its_function(made: list[Any]) -> None:
    """A comprehension has no name that helps; a lambda is called one."""
    made.append(fetch())
    leaks = [*(dropped(made[0], sys._getframe()) for _ in range(1))]
    assert leaks[0].caller == "test_a_comprehension_belongs_to_its_function"
    of_lambda = (lambda: dropped(made[0], sys._getframe()))()
    assert "where the lambda calls it" in of_lambda.advice


class Session:
    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def __exit__(self, *args: object) -> Leak:
        return dropped(self.coroutine, sys._getframe())

    def __bool__(self) -> bool:
        self.leak = dropped(self.coroutine, sys._getframe())
        return True

    @property
    def state(self) -> Leak:
        return dropped(self.coroutine, sys._getframe())

    @state.setter
    def state(self, value: Leak) -> None:
        self.leak = dropped(self.coroutine, sys._getframe())


def test_a_special_method_cannot_become_async(made: list[Any]) -> None:
    """``__exit__`` has an async kin, and ``__bool__`` has none."""
    made.append(fetch())
    session = Session(made[0])
    assert session.__exit__().advice == (
        "await fetch(...) in __aexit__, and use 'async with': "
        "Session.__exit__ cannot be async"
    )
    assert bool(session)
    assert session.leak.advice == (
        "await fetch(...) in an async method, or call a synchronous twin: "
        "Session.__bool__ cannot be async"
    )


def test_a_property_that_makes_the_call_cannot_become_async(made: list[Any]) -> None:
    """Neither the getter nor the setter can be awaited where the property is used."""
    made.append(fetch())
    session = Session(made[0])
    expected = (
        "await fetch(...) in an async method, or call a synchronous twin: "
        "Session.state is a property"
    )
    session.state = session.state
    assert session.state.advice == session.leak.advice == expected


def test_a_library_gets_a_synchronous_function(made: list[Any]) -> None:
    """Where a library makes the call, no ``await`` can be added there."""
    frames: list[FrameType] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: frames.append(sys._getframe(1)))
        await asyncio.sleep(0)

    asyncio.run(main())
    made.append(fetch())
    assert dropped(made[0], frames[0]).advice == (
        "asyncio does not await fetch: give it a synchronous function"
    )


def test_a_question_about_colour_needs_no_call(made: list[Any]) -> None:
    """A call that only serves ``isawaitable`` is replaced by a question."""
    made.append(fetch())
    expected = "ask inspect.iscoroutinefunction(fetch) instead of calling it"
    leaks = [
        dropped(made[0], sys._getframe()),  # isawaitable(fetch())
        dropped(made[0], sys._getframe()),  # isinstance(fetch(), Awaitable)
        dropped(made[0], sys._getframe()),  # hasattr(fetch(), "__await__")
    ]
    assert [leak.advice for leak in leaks] == [expected] * 3


def test_the_library_is_where_python_and_packages_are() -> None:
    """The standard library and installed packages are libraries, this file is not."""
    files = [asyncio.__file__, pytest.__file__, "<frozen importlib._bootstrap>"]
    assert [is_library(file) for file in [*files, __file__]] == [
        True,
        True,
        True,
        False,
    ]


def test_a_line_of_the_program_is_shown_for_a_double() -> None:
    """The line where a test double was called, not the library's, made it."""
    from unittest import mock

    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(4)
    try:
        coroutine = mock.AsyncMock()()
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)
    leak = dropped(coroutine)
    coroutine.close()
    assert leak.created.startswith("tests/unit/test_advice.py:")


async def start(function: Any) -> Any:
    return await function()


def advice(awaitable: Any) -> str:
    try:
        asyncio.run(awaitable)
    except TypeError as error:
        leak = explain(error)
        assert leak is not None
        return leak.advice
    raise AssertionError("nothing was raised")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.allow_leaks("*", reason="this test leaks on purpose")
def test_a_function_is_handed_over_instead_of_its_call() -> None:
    """Where a parameter is called, it should have been the function."""
    text = advice(start(fetch()))
    gc.collect()  # what the traceback held, before the next test begins
    assert text == "give start fetch itself, without calling it"


class Timer:
    def __init__(self, function: Any) -> None:
        self.function = function

    async def fire(self) -> Any:
        return await self.function()


async def given_to_a_thread() -> None:
    await asyncio.to_thread(fetch())  # type: ignore[arg-type]


async def given_to_a_built_in() -> None:
    sorted([2, 1], key=fetch())  # type: ignore[arg-type]


async def made_partial() -> None:
    functools.partial(fetch())  # type: ignore[arg-type]


async def given_to_an_object() -> None:
    await Timer(fetch()).fire()


async def given_to_a_closure() -> None:
    function: Any = fetch()

    def call() -> Any:
        return function()

    call()


FUNCTION_DUE = [
    given_to_a_thread,
    given_to_a_built_in,
    made_partial,
    given_to_an_object,
    given_to_a_closure,
]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.allow_leaks("*", reason="this test leaks on purpose")
@pytest.mark.parametrize("main", FUNCTION_DUE, ids=lambda it: it.__name__)
def test_a_function_is_handed_over_also_where_others_call_it(main: Any) -> None:
    """A library, a built-in or another object that calls it needs the function."""
    text = advice(main())
    gc.collect()
    assert text == "give fetch itself, without calling it"


async def awaited_function() -> None:
    await fetch  # type: ignore[misc]


async def awaited_method() -> None:
    await Device().check  # type: ignore[misc]


async def task_of_a_function() -> None:
    await asyncio.create_task(fetch)  # type: ignore[arg-type]


UNCALLED = {
    awaited_function: "call it: fetch(...)",
    awaited_method: "call it: Device.check(...)",
    task_of_a_function: "call it: fetch(...)",
}


@pytest.mark.parametrize("main", UNCALLED, ids=lambda it: it.__name__)
def test_an_async_function_without_its_call_is_to_be_called(main: Any) -> None:
    """What was awaited is async already: only its parentheses are missing."""
    assert advice(main()) == UNCALLED[main]


def plain() -> int:
    return 1


def load_async() -> int:
    return 1


PLAIN = {
    plain: "take the await before plain(...) away, or make plain async",
    load_async: "make load_async async, as its name promises",
}


@pytest.mark.parametrize("function", PLAIN)
def test_the_await_of_a_plain_value_goes_or_its_function_becomes_async(
    function: Any,
) -> None:
    """For the mirror image the names show which of the two is right."""

    async def main() -> None:
        await function()

    assert advice(main()) == PLAIN[function]


async def entered() -> None:
    async with plain():  # type: ignore[attr-defined]
        pass


async def iterated() -> None:
    async for _ in plain():  # type: ignore[attr-defined]
        pass


async def gathered() -> None:
    await asyncio.gather(plain())  # type: ignore[call-overload]


async def built_in() -> None:
    await len("a")  # type: ignore[misc]


WITHOUT_AWAIT = {
    entered: "use 'with' instead of 'async with' on plain(...), "
    "or make plain an async context manager",
    iterated: "use 'for' instead of 'async for' on plain(...), "
    "or make plain an async generator",
    gathered: "use the plain int without gather(), or make its source async",
    built_in: "take the await before len(...) away",
}


@pytest.mark.parametrize("main", WITHOUT_AWAIT, ids=lambda it: it.__name__)
def test_the_mirror_image_without_an_await_has_its_own_advice(main: Any) -> None:
    """Where no ``await`` is written none is to go; a built-in stays as it is."""
    assert advice(main()) == WITHOUT_AWAIT[main]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.allow_leaks("*", reason="this test leaks on purpose")
def test_an_async_property_that_is_used_as_a_value_is_not_to_be_called() -> None:
    """A property has no call to await, also where its result is subscripted."""

    async def main() -> None:
        Device().is_online["a"]  # type: ignore[index]

    text = advice(main())
    gc.collect()
    assert text == "await .is_online where it is read"


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("plain MagicMock", "use AsyncMock for what is awaited"),
        (
            "plain dict",
            "take away the await of the plain dict, or make its source async",
        ),
    ],
)
def test_an_unnamed_plain_value_has_its_advice(what: str, expected: str) -> None:
    """Without a function's name the value's type decides."""
    for kind in (LeakKind.NOT_AWAITABLE, LeakKind.SYMPTOM):
        assert Leak(kind, what).within(GUARDED, is_async=True).advice == expected
