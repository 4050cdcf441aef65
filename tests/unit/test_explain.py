"""Does ``explain`` know an exception's coroutine, and no other exception's?"""

from __future__ import annotations

import asyncio
import functools
import gc
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from coroguard import CoroutineLeakError, Leak, LeakKind, explain

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let go of what a test's tracebacks hold before the next test begins."""
    yield
    gc.collect()


async def is_connected(*args: Any) -> bool:
    return True


async def rows(*args: Any) -> Any:
    yield 1


def plain(*args: Any) -> dict[str, int]:
    return {}


class Manager:
    async def status(self) -> str:
        return "up"

    def count(self) -> int:
        return 1


cached = functools.lru_cache(is_connected)


def attribute() -> Any:
    return is_connected().get("error_suggestions", [])  # type: ignore[attr-defined]


def subscript() -> Any:
    return Manager().status()["x"]  # type: ignore[index]


def addition() -> Any:
    number = is_connected()
    return number + 1  # type: ignore[operator]


def length() -> Any:
    return len(is_connected())  # type: ignore[arg-type]


def serialised() -> Any:
    return json.dumps({"errors": is_connected()})


def generator() -> Any:
    return rows()["data"]


def looped() -> Any:
    return list(rows())


def unpacked() -> Any:
    a, b = is_connected()  # type: ignore[misc]
    return a, b


def wrapped() -> Any:
    try:
        return attribute()
    except AttributeError as error:
        raise RuntimeError("health check failed") from error


def asserted() -> Any:
    answer = is_connected()
    assert isinstance(answer, dict), f"expected a dict, got {type(answer)}"


def reused() -> Any:
    async def twice() -> None:
        await cached()
        await cached()

    cached.cache_clear()
    asyncio.run(twice())


MISUSED = {
    attribute: "is_connected",
    subscript: "Manager.status",
    addition: "is_connected",
    length: "is_connected",
    serialised: "is_connected",
    generator: "rows",
    looped: "rows",
    unpacked: "is_connected",
    wrapped: "is_connected",
    asserted: "is_connected",
    reused: "is_connected",
}


@pytest.mark.parametrize("act", MISUSED, ids=lambda f: f.__name__)
def test_a_coroutine_used_as_a_value_is_named(act: Callable[[], Any]) -> None:
    """The async function behind the misused object is found by asking objects."""
    leak = caught(act)
    assert leak is not None
    assert (leak.kind, leak.name) == (LeakKind.MISUSED, MISUSED[act])


async def awaited() -> Any:
    return await plain()  # type: ignore[misc]


async def awaited_method() -> Any:
    return await Manager().count()  # type: ignore[misc]


async def entered() -> Any:
    async with plain():  # type: ignore[attr-defined]
        pass


async def iterated() -> Any:
    async for _ in plain():  # type: ignore[attr-defined]
        pass


async def gathered() -> Any:
    return await asyncio.gather(Manager().count())  # type: ignore[call-overload]


async def waited() -> Any:
    return await asyncio.wait_for(plain(), 1)  # type: ignore[arg-type]


PLAIN = {
    awaited: ("plain dict", "plain"),
    awaited_method: ("plain int", "Manager.count"),
    entered: ("plain dict", "plain"),
    iterated: ("plain dict", "plain"),
    gathered: ("plain int", ""),
    waited: ("plain dict", ""),
}


@pytest.mark.parametrize("act", PLAIN, ids=lambda f: f.__name__)
def test_awaiting_a_plain_value_is_the_mirror_image(
    act: Callable[[], Awaitable[Any]],
) -> None:
    """``await`` on a plain value names the function that it came from."""
    leak = caught(lambda: asyncio.run(act()))  # type: ignore[arg-type]
    assert leak is not None
    assert (leak.kind, (leak.what, leak.name)) == (
        LeakKind.NOT_AWAITABLE,
        PLAIN[act],
    )


def typo() -> Any:
    return plain().gett("x")  # type: ignore[attr-defined]


def bystander() -> Any:
    waiting = is_connected()
    try:
        return 1 + "x"  # type: ignore[operator]
    finally:
        waiting.close()


def talk() -> Any:
    raise ValueError("the coroutine pool is full; awaiting a free slot")


@pytest.mark.parametrize("act", [typo, bystander, talk], ids=lambda f: f.__name__)
def test_another_fault_is_nobodys_coroutine(act: Callable[[], Any]) -> None:
    """An error that no coroutine caused is not explained by one."""
    assert caught(act) is None


def test_a_group_is_asked_for_its_members() -> None:
    """An exception group is explained by the member that a coroutine caused."""
    try:
        attribute()
    except AttributeError as error:
        leak = explain(ExceptionGroup("all", [ValueError(), error]))
    assert leak is not None
    assert leak.name == "is_connected"


def test_an_error_of_ours_explains_itself() -> None:
    """The leak of a ``CoroutineLeakError`` is its own explanation."""
    leak = Leak(kind=LeakKind.RETURNED)
    assert explain(CoroutineLeakError(leak)) is leak


def test_a_text_of_its_own_is_not_run() -> None:
    """An exception's ``__str__`` is user code and stays uncalled."""

    class LoudError(Exception):
        def __str__(self) -> str:
            raise AssertionError

    assert explain(LoudError("'coroutine' object has no attribute 'get'")) is None


def caught(act: Callable[[], Any]) -> Leak | None:
    try:
        act()
    except Exception as error:
        return explain(error)
    raise AssertionError("nothing was raised")
