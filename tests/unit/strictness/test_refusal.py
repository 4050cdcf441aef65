"""A coroutine in the place of an annotated value is a leak; all else is an event."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import typeguard
from typeguard import TypeCheckError

from coroguard import CoroutineLeakError, Event, LeakKind, mode

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
    """A function that gets a coroutine is not advised to become async."""
    source = (
        "def load(user: str) -> None: ...\n"
        "class User:\n"
        "    def __init__(self, name: str) -> None: ..."
    )
    module = load(FIND + source)
    for function in (module["load"], module["User"]):
        with pytest.raises(CoroutineLeakError) as caught:
            function(module["leak"]())
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
    """What an annotation allows is not reported."""
    module = load(FIND + source)
    module["load"]()
    assert inspect.getcoroutinestate(module["made"][0]) == "CORO_CREATED"
    module["made"][0].close()


def test_wrong_type_beside_a_promised_awaitable(load: Load, types: None) -> None:
    """A wrong type is not blamed on an awaitable that may be there."""
    source = "def load() -> tuple[Awaitable[str], int]: return (leak(), 'x')"
    module = load(FIND + source)
    with pytest.raises(TypeCheckError, match="item 1"):
        module["load"]()
    module["made"][0].close()


def test_awaitable_of_another_kind_is_no_leak(load: Load, types: None) -> None:
    """Where an annotation speaks of awaitables, a wrong one is not a leak."""
    source = (
        "import typing\n"
        "class Handle(typing.Protocol):\n"
        "    def __await__(self) -> Any: ...\n"
        "    def cancel(self) -> None: ...\n"
        "def load() -> Handle: return leak()"
    )
    module = load(FIND + source)
    with pytest.raises(TypeCheckError, match="no attribute named 'cancel'"):
        module["load"]()
    module["made"][0].close()


WRONG = "def load(user: str) -> int: return user"


def test_wrong_type_is_one_event_for_each_place(
    load: Load, events: list[Event]
) -> None:
    """A wrong value without a coroutine passes, and each place is reported once."""
    module = load(WRONG)
    assert [module["load"](1.5) for _ in range(3)] == [1.5] * 3
    texts = [str(event.error) for event in events]
    assert [event.action for event in events] == ["reported", "reported"]
    assert "argument 'user' of load() does not match its annotation" in texts[0]
    assert "the return value of load() does not match its annotation" in texts[1]


def test_wrong_type_raises_where_types_are_asked_for(load: Load, types: None) -> None:
    """With types, a wrong value without a coroutine is typeguard's own error."""
    module = load(WRONG)
    with pytest.raises(TypeCheckError, match=r"argument 'user' \(int\) is not an inst"):
        module["load"](1)
    with pytest.raises(TypeCheckError, match=r"return value \(str\) is not an"):
        module["load"]("x")


def test_what_cannot_be_judged_passes_and_is_reported(
    load: Load, types: None, events: list[Event]
) -> None:
    """An annotation that raises lets the value pass, and is reported once."""
    source = (
        "class Meta(type):\n"
        "    def __instancecheck__(cls, value): raise RuntimeError('asked')\n"
        "class Odd(metaclass=Meta): ...\n"
        "def load(user: Odd) -> object: return user"
    )
    module = load(source)
    assert [module["load"](1) for _ in range(3)] == [1, 1, 1]
    [event] = events
    assert "cannot be checked" in str(event.error)


def test_typeguards_own_settings_are_left_alone(load: Load) -> None:
    """What a program itself checks with typeguard goes by its own settings."""
    before = dataclasses.replace(typeguard.config)
    load(WRONG)["load"]("x")
    assert typeguard.config == before
    with pytest.raises(TypeCheckError):
        typeguard.check_type(lambda: 1, Callable[[int, int], int])


def test_typeguard_of_another_shape_is_refused_in_a_sentence() -> None:
    """A release of typeguard without what is needed is refused with what to install."""
    code = (
        "import typeguard\n"
        "del typeguard.check_type_internal\n"
        "import coroguard\n"
        "try: coroguard.strict_packages('json')\n"
        "except TypeError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "strict packages cannot work with typeguard 4." in done.stdout
    assert "run pip install 'typeguard>=4.6,<5'" in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("held", "actions"), [("off", []), ("observe", ["reported"] * 2)]
)
def test_calm_modes_raise_nothing(
    load: Load, events: list[Event], held: Any, actions: list[str]
) -> None:
    """Off does nothing, observe reports; neither raises for any wrong value."""
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
def test_guard_and_annotation_report_once(
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
