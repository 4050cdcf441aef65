"""A coroutine where an annotation says otherwise is a leak; all else is typeguard's."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from typeguard import TypeCheckError, config

from coroguard import CoroutineLeakError, Event, LeakKind, mode
from coroguard.strictness.refusal import refuser

from .conftest import Load

FIND = """\
from __future__ import annotations
import asyncio
from collections.abc import Awaitable, Coroutine, Iterator
from typing import Any
from coroguard import guard

made = []

async def find() -> str:
    return "ada"

def leak() -> Any:
    made.append(find())
    return made[-1]
"""

PLACES = {
    "argument": (
        "def load(user: str) -> None: ...\ndef run(): load(leak())",
        LeakKind.NESTED,
        "argument 'user'",
        "str",
    ),
    "starred argument": (
        "def load(*users: str) -> None: ...\ndef run(): load('a', leak())",
        LeakKind.NESTED,
        "argument 'users', $[1]",
        "tuple[str, ...]",
    ),
    "keyword argument": (
        "def load(**users: str) -> None: ...\ndef run(): load(a=leak())",
        LeakKind.NESTED,
        "argument 'users', $.a",
        "dict[str, str]",
    ),
    "return value": (
        "def load() -> str: return leak()\ndef run(): load()",
        LeakKind.RETURNED,
        "$",
        "str",
    ),
    "nested in the return value": (
        "def load() -> dict[str, list[str]]: return {'a': ['b', leak()]}\n"
        "def run(): load()",
        LeakKind.NESTED,
        "$.a[1]",
        "dict[str, list[str]]",
    ),
    "variable": (
        "def load():\n    user: str = leak()\ndef run(): load()",
        LeakKind.NESTED,
        "variable 'user'",
        "str",
    ),
    "second item": (
        "def load():\n    users: list[str] = ['a', leak()]\ndef run(): load()",
        LeakKind.NESTED,
        "variable 'users', $[1]",
        "list[str]",
    ),
    "assigned later": (
        "def load():\n    user: str\n    user, _ = leak(), 1\ndef run(): load()",
        LeakKind.NESTED,
        "variable 'user'",
        "str",
    ),
    "walrus": (
        "def load(user: str = ''):\n    if user := leak(): pass\ndef run(): load()",
        LeakKind.NESTED,
        "variable 'user'",
        "str",
    ),
    "async def": (
        "async def load() -> bool: return leak()\ndef run(): asyncio.run(load())",
        LeakKind.RETURNED,
        "$",
        "bool",
    ),
    "yielded value": (
        "def load() -> Iterator[str]: yield leak()\ndef run(): next(load())",
        LeakKind.NESTED,
        "yielded value",
        "str",
    ),
    "union": (
        "def load() -> str | None: return leak()\ndef run(): load()",
        LeakKind.RETURNED,
        "$",
        "str | None",
    ),
}


@pytest.mark.parametrize(
    ("source", "kind", "path", "expected"), PLACES.values(), ids=PLACES
)
def test_place(
    load: Load, source: str, kind: LeakKind, path: str, expected: str
) -> None:
    """Each annotated place refuses a coroutine, and the error knows all of it."""
    module = load(FIND + source)
    with pytest.raises(CoroutineLeakError) as caught:
        module["run"]()
    leak = caught.value.leak
    assert (leak.kind, leak.path, caught.value.expected) == (kind, path, expected)
    assert (leak.what, leak.name, leak.guarded) == ("coroutine", "find", "load")
    assert leak.defined == "users.py:9"
    assert "await find(...)" in leak.advice


def test_refused_coroutine_is_closed(load: Load) -> None:
    """No warning of a never awaited coroutine follows the error."""
    module = load(FIND + "def load() -> str: return leak()")
    with pytest.raises(CoroutineLeakError):
        module["load"]()
    assert inspect.getcoroutinestate(module["made"][0]) == "CORO_CLOSED"


def test_argument_does_not_blame_the_function(load: Load) -> None:
    """Who is given a coroutine is not told to become async."""
    module = load(FIND + "def load(user: str) -> None: ...")
    with pytest.raises(CoroutineLeakError) as caught:
        module["load"](module["leak"]())
    assert caught.value.leak.advice == "await find(...) where it is called"


def test_method_is_named_with_its_class(load: Load) -> None:
    """A method's leak names class and method."""
    source = "class Users:\n    def load(self) -> str: return leak()"
    module = load(FIND + source)
    with pytest.raises(CoroutineLeakError, match=r"^Users\.load\(\) let a coroutine"):
        module["Users"]().load()


def test_event_comes_before_the_error(load: Load, events: list[Event]) -> None:
    """An ``except Exception`` around it does not make the leak unseen."""
    source = (
        "def load() -> str: return leak()\n"
        "def run():\n"
        "    try: load()\n"
        "    except Exception: pass"
    )
    load(FIND + source)["run"]()
    assert [(event.action, event.guarded) for event in events] == [("raised", "load")]


def test_task_is_left_to_its_owner(load: Load) -> None:
    """A task that is refused runs on: it is the loop's."""
    module = load(FIND + "def load(user: str) -> None: ...")

    async def main() -> str:
        task: asyncio.Task[str] = asyncio.create_task(module["find"]())
        with pytest.raises(CoroutineLeakError, match="let a task escape"):
            module["load"](task)
        return await task

    assert asyncio.run(main()) == "ada"


@pytest.mark.parametrize(
    "source",
    [
        "def load() -> Awaitable[str]: return leak()",
        "def load() -> Coroutine[Any, Any, str]: return leak()",
        "def load() -> str | Awaitable[str]: return leak()",
        "def load() -> list[Awaitable[str]]: return [leak()]",
        "def load(user: Awaitable[str] | None = None) -> Any: return leak()",
        "def load() -> object: return leak()",
        "def load(): return leak()",
    ],
)
def test_promised_awaitable_passes(load: Load, source: str) -> None:
    """What an annotation allows is nothing to tell of."""
    module = load(FIND + source)
    module["load"]()
    assert inspect.getcoroutinestate(module["made"][0]) == "CORO_CREATED"
    module["made"][0].close()


def test_wrong_type_beside_a_promised_awaitable(load: Load) -> None:
    """A wrong type is not blamed on an awaitable that may be there."""
    source = "def load() -> tuple[Awaitable[str], int]: return (leak(), 'x')"
    module = load(FIND + source)
    with pytest.raises(TypeCheckError, match="item 1"):
        module["load"]()
    module["made"][0].close()


def test_awaitable_of_another_kind_is_typeguards(load: Load) -> None:
    """Where an annotation speaks of awaitables, a wrong one is no leak."""
    source = (
        "import typing\n"
        "class Handle(typing.Protocol):\n"
        "    def __await__(self) -> Any: ...\n"
        "    def cancel(self) -> None: ...\n"
        "def load() -> Handle: return leak()"
    )
    module = load(FIND + source)
    with pytest.raises(TypeCheckError, match="no method named 'cancel'"):
        module["load"]()
    module["made"][0].close()


def test_wrong_type_without_a_coroutine_is_typeguards(
    load: Load, events: list[Event]
) -> None:
    """A plain wrong type stays typeguard's own error, and is no event."""
    module = load("def load(user: str) -> None: ...")
    with pytest.raises(TypeCheckError, match=r'argument "user" \(int\)'):
        module["load"](1)
    assert events == []


@pytest.mark.parametrize(("held", "actions"), [("off", []), ("observe", ["reported"])])
def test_calm_modes_raise_nothing(
    load: Load, events: list[Event], held: Any, actions: list[str]
) -> None:
    """Off does nothing, observe reports leaks; neither raises for any wrong type."""
    source = (
        "def load(age: int) -> str:\n    name: str = leak()\n    return name\n"
        "def run(): return load('x')"
    )
    module = load(FIND + source)
    with mode(held):
        module["run"]().close()
    assert [event.action for event in events] == actions


@pytest.mark.parametrize("held", ["observe", "enforce", "strict"])
@pytest.mark.parametrize("colour", ["", "async "])
def test_guard_and_annotation_tell_once(
    load: Load, events: list[Event], held: Any, colour: str
) -> None:
    """A leak that both a guard and an annotation see is one event."""
    source = f"@guard(returns=str)\n{colour}def load() -> str: return leak()"
    module = load(FIND + source)
    with mode(held):
        try:
            value = module["load"]()
            if colour:
                asyncio.run(value)
        except CoroutineLeakError:
            pass
    module["made"][0].close()
    assert len(events) == 1


def test_callback_before_is_chained(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other packages, and plain wrong types, go to the callback that was there."""
    passed: list[str] = []
    callback = refuser(
        lambda module: module == "app.users", lambda error, _: passed.append(str(error))
    )
    source = "async def find(): ...\ndef load(user: str) -> None: ..."
    ours, theirs = load(source), load(source, "other")
    monkeypatch.setattr(config, "typecheck_fail_callback", callback)
    theirs["load"](stray := theirs["find"]())
    ours["load"](1)
    stray.close()
    assert len(passed) == 2
    with pytest.raises(CoroutineLeakError):
        ours["load"](ours["find"]())


def test_unknown_typeguard_is_left_alone(load: Load) -> None:
    """Where the check's frame is not as known, typeguard's error passes."""
    load("")
    callback: Any = config.typecheck_fail_callback
    error = TypeCheckError("is wrong")

    class Memo:
        globals = {"__name__": "app"}  # noqa: RUF012

    with pytest.raises(TypeCheckError) as caught:
        callback(error, Memo)
    assert caught.value is error
