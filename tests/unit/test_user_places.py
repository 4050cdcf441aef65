"""The line of the program that an event and its record are about."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coroguard import Event, guard, mode, watch
from coroguard._leaks.origins import place
from coroguard._runtime import unclaimed
from coroguard._runtime.collector import collect

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


async def twin() -> bool:
    return True


def line(function: Callable[..., Any], words: str) -> str:
    """Return the place of the line of a function that holds these words."""
    lines, first = inspect.getsourcelines(function)
    (number,) = [first + n for n, text in enumerate(lines) if words in text]
    return place(__file__, number)


def here(event: Event) -> tuple[str, str]:
    return event.place, event.place_in.rpartition(".")[2]


def test_a_drop_is_at_the_line_that_dropped_it(events: list[Event]) -> None:
    """Of a truth-tested coroutine, it is the line of the test."""

    def inner() -> str:
        return "up" if twin() else "down"

    guard(inner)()
    assert here(events[0]) == (line(inner, "if twin()"), "inner")


@guard(returns=Any)
def check() -> Any:
    return twin()


def test_a_returned_leak_is_at_the_guarded_function(events: list[Event]) -> None:
    """The function has returned; its own ``def`` is what is left of it."""
    with mode("observe"):
        check().close()
    assert events[0].place_in == "check"
    assert events[0].place.startswith(place(__file__, 0)[:-1])


def test_where_origins_are_known_it_is_the_call(events: list[Event]) -> None:
    """In strict mode it is the line that made the coroutine."""
    with mode("strict"), contextlib.suppress(TypeError):
        check()
    assert here(events[0]) == (line(inspect.unwrap(check), "return twin()"), "check")


def test_a_misuse_is_where_it_raised(events: list[Event]) -> None:
    """Of an exception in flight, it is the innermost line of the program."""

    def inner() -> None:
        twin().get("x")  # type: ignore[attr-defined]

    def outer() -> None:
        inner()

    with pytest.raises(AttributeError):
        guard(outer)()
    misused = [it for it in events if it.leak and it.leak.kind == "misused"]
    assert here(misused[0]) == (line(inner, "twin().get"), "inner")


def test_a_library_is_passed_over(events: list[Event], tmp_path: Path) -> None:
    """What a library drops is at the guarded function, not in the library."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    source = folder / "careless.py"
    source.write_text("def call(function):\n    function()\n")
    names: dict[str, Any] = {"__name__": "careless"}
    exec(compile(source.read_text(), str(source), "exec"), names)

    def body() -> None:
        names["call"](twin)

    guard(body)()
    assert here(events[0]) == (line(body, "def body"), "body")


def test_what_the_collector_finds_is_nobodys_line(
    events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line that the collector interrupts has nothing to do with it."""
    monkeypatch.setattr(unclaimed, "_takers", [])  # the pytest plugin's

    @guard(returns=Any)
    async def called() -> None: ...

    cycle: list[Any] = [called()]
    cycle.append(cycle)
    del cycle
    collect()
    assert [(it.place, it.place_in) for it in events] == [("", "")]


def test_the_record_shows_the_line_of_the_program(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A handler that prints file, line and function prints those of the user."""

    def inner() -> bool:
        return not twin()

    with watch(mode="observe", name="a watch for its record"):
        inner()
    record = caplog.records[-1]
    file, _, number = line(inner, "not twin()").rpartition(":")
    assert record.pathname == str(Path(file).absolute())
    assert (record.lineno, record.levelno) == (int(number), logging.WARNING)
    assert record.funcName.endswith("inner")
    assert (record.filename, record.module) == ("test_user_places.py", Path(file).stem)


def test_a_guard_in_a_task_knows_its_line(events: list[Event]) -> None:
    """An async function that drops in a task of its own is at its line."""

    async def inner() -> None:
        twin()

    asyncio.run(guard(returns=Any)(inner)())
    assert here(events[0]) == (line(inner, "twin()"), "inner")
