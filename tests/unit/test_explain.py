"""The leak behind an exception, and none behind any other exception."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coroguard import (
    CoroutineLeakError,
    GuardUsageError,
    Leak,
    LeakKind,
    explain,
)
from coroguard._runtime.collector import collect

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let go of what a test's tracebacks hold before the next test begins."""
    yield
    collect()


async def is_connected(*args: Any) -> bool:
    return True


async def rows(*args: Any) -> Any:
    yield 1


def plain(*args: Any) -> dict[str, int]:
    return {}


class Manager:
    async def status(self) -> str:
        return "up"

    @property
    async def is_up(self) -> bool:
        return True

    def count(self) -> int:
        return 1

    def itself(self) -> Manager:
        return self


cached = functools.lru_cache(is_connected)


def attribute() -> Any:
    return is_connected().get("error_suggestions", [])  # type: ignore[attr-defined]


def subscript() -> Any:
    return Manager().status()["x"]  # type: ignore[index]


def property_subscript() -> Any:
    return Manager().is_up["x"]  # type: ignore[index]


def quoted() -> Any:
    return urllib.parse.quote(is_connected())  # type: ignore[arg-type]


def as_record() -> Any:
    return dataclasses.asdict(is_connected())  # type: ignore[call-overload]


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


def awaited_generator() -> Any:
    async def main() -> None:
        await rows()

    asyncio.run(main())


def refused_callback() -> Any:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.call_soon(is_connected)

    asyncio.run(main())


MISUSED = {
    attribute: "is_connected",
    subscript: "Manager.status",
    property_subscript: "Manager.is_up",
    quoted: "is_connected",
    as_record: "is_connected",
    addition: "is_connected",
    length: "is_connected",
    serialised: "is_connected",
    generator: "rows",
    looped: "rows",
    unpacked: "is_connected",
    wrapped: "is_connected",
    asserted: "is_connected",
    reused: "is_connected",
    awaited_generator: "rows",
    refused_callback: "is_connected",
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


async def awaited_chain() -> Any:
    return await Manager().itself().itself().count()  # type: ignore[misc]


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
    awaited_chain: ("plain int", "Manager.count"),
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


def test_a_long_chain_of_calls_is_looked_up_link_by_link(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each link of a chain is resolved about as often as the chain is long."""
    from coroguard._leaks import callsite

    links, asked = 40, 0
    find = callsite._attribute

    def counted(owner: object, name: str) -> Any:
        nonlocal asked
        asked += 1
        assert asked < 3 * links * links
        return find(owner, name)

    file = tmp_path / "chain.py"
    chain = "Manager()" + ".itself()" * links + ".count()"
    file.write_text(f"async def main(): return await {chain}")
    names: dict[str, Any] = {"Manager": Manager}
    exec(compile(file.read_text(), str(file), "exec"), names)
    monkeypatch.setattr(callsite, "_attribute", counted)
    leak = caught(lambda: asyncio.run(names["main"]()))
    assert leak is not None
    assert leak.name == "Manager.count"


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


class Connection:
    """What only ``async with`` can enter."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *exc_info: object) -> None: ...


def entered_by_with() -> Any:
    with Connection():  # type: ignore[attr-defined]
        pass


@pytest.mark.parametrize(
    "act", [typo, bystander, talk, entered_by_with], ids=lambda f: f.__name__
)
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


def test_what_is_not_an_exception_is_refused() -> None:
    """A text or a class instead of the exception gives a usage error; None is fine."""
    for wrong in ("'coroutine' object has no attribute 'get'", ValueError):
        with pytest.raises(GuardUsageError, match="explain\\(\\) takes an exception"):
            explain(wrong)  # type: ignore[arg-type]
    assert explain(None) is None


@pytest.mark.parametrize(
    "use",
    [lambda it: it["a"], len, lambda it: it + 1],
    ids=["subscript", "length", "addition"],
)
def test_a_running_coroutine_is_never_the_culprit(use: Callable[[Any], Any]) -> None:
    """The coroutine that runs the program is not the one that was misused."""

    async def main() -> Any:
        return use(is_connected())

    leak = caught(lambda: asyncio.run(main()))
    assert leak is not None
    assert leak.name in ("is_connected", "")


STATE: dict[str, Any] = {}


def test_a_name_of_the_module_is_looked_up() -> None:
    """The misused object may be in a global, also inside of a container."""
    STATE["answer"] = is_connected()
    try:
        leak = caught(lambda: STATE["answer"]["x"])
    finally:
        STATE.popitem()[1].close()
    assert leak is not None
    assert leak.name == "is_connected"


def test_the_right_one_of_two_coroutines_is_named() -> None:
    """The object in the expression counts, not another one in the frame."""

    async def other() -> None: ...

    def two() -> Any:
        first, second = other(), is_connected()
        try:
            return second["x"]  # type: ignore[index]
        finally:
            first.close()
            second.close()

    def one_of_two() -> Any:
        waiting = other()
        STATE["waiting"] = waiting
        return is_connected() + 1  # type: ignore[operator]

    leaks = [caught(two), caught(one_of_two)]
    STATE.popitem()[1].close()
    assert [leak and leak.name for leak in leaks] == ["", "is_connected"]


class Page:
    def all(self) -> list[str]:
        return ["guest"]


class Answer:
    def page(self) -> Page:
        return Page()

    def unknown(self) -> Any:
        return [Page()][0]


async def chain() -> Any:
    answer = Answer()
    return await answer.page().all()  # type: ignore[misc]


async def constructed() -> Any:
    return await Answer().page().all()  # type: ignore[misc]


async def unknown() -> Any:
    return await [Answer()][0].unknown().all()


@pytest.mark.parametrize(
    ("act", "name"), [(chain, "Page.all"), (constructed, "Page.all"), (unknown, "all")]
)
def test_the_last_call_of_a_chain_is_named(act: Callable[[], Any], name: str) -> None:
    """The last call gave the plain value; without its class, its name is given."""
    leak = caught(lambda: asyncio.run(act()))
    assert leak is not None
    assert (leak.kind, leak.name) == (LeakKind.NOT_AWAITABLE, name)


def test_a_plain_function_is_not_shown_as_async() -> None:
    """What was awaited is a ``def``, and is shown so."""
    leak = caught(lambda: asyncio.run(awaited()))
    assert leak is not None
    assert str(leak).startswith("plain dict from 'plain' (def, tests/unit/")


class EvasiveError(TypeError):
    """An exception whose every attribute is code of the user."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError("user code was called")


def test_no_code_of_an_exception_runs() -> None:
    """An exception is read past its class's own code."""
    error = EvasiveError("'coroutine' object is not iterable")
    try:
        raise error
    except EvasiveError as it:
        explain(it)


def test_an_ordinary_exception_costs_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error whose text names no leak is passed without a look at the function."""
    from coroguard._leaks import callsite, explain, mirror

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the source was read")

    monkeypatch.setattr(explain, "operands", refuse)
    for name in ("awaited_call", "awaited_object", "instruction"):
        monkeypatch.setattr(mirror, name, refuse)
    monkeypatch.setattr(callsite.linecache, "getline", refuse)
    assert [caught(act) for act in (typo, bystander)] == [None, None]


def caught(act: Callable[[], Any]) -> Leak | None:
    try:
        act()
    except Exception as error:
        return explain(error)
    raise AssertionError("nothing was raised")
