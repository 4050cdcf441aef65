"""Correct programs on which a guard is silent."""

import ast
import asyncio
import dataclasses
import gc
import importlib.util
import inspect
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from coroguard import guard, mode, watch
from coroguard._runtime.collector import collect

HERE = Path(__file__).resolve().parents[1] / "corpus" / "programs"


def _load_package():
    spec = importlib.util.spec_from_file_location(
        "correct_programs", HERE / "__init__.py"
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["correct_programs"] = package
    spec.loader.exec_module(package)
    return package


PROGRAMS = _load_package().PROGRAMS


def bare(function=None, **options):
    """Replace `guard` and do nothing."""
    return function if function is not None else (lambda f: f)


def call(function, *args):
    if inspect.iscoroutinefunction(function):
        return asyncio.run(function(*args))
    return function(*args)


def test_there_are_at_least_thirty_programs():
    """The table of programs is long enough to mean something."""
    assert len({program.__name__ for program in PROGRAMS}) == len(PROGRAMS) >= 30


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_guarded_programs_run_unchanged(program, events):
    """With its functions guarded, in strict mode, a program does what it did."""
    expected = call(program, bare)
    with mode("strict"):
        actual = call(program, guard)
    collect()

    assert [event.leak or event.error for event in events] == []
    assert actual == expected


@pytest.mark.parametrize("mode_name", ["enforce", "off"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_other_modes_leave_it_alone_too(program, mode_name, events):
    """No mode reports anything on a correct program."""
    with mode(mode_name):
        call(program, guard)
    collect()

    assert [event.leak or event.error for event in events] == []


@pytest.mark.parametrize("guarding", [bare, guard], ids=["watched", "guarded"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_watched_programs_run_unchanged(program, guarding, events):
    """Inside a watch, in strict mode, a program does what it did."""
    expected = call(program, bare)

    async def watched():
        with watch() as leaks:
            actual = await program(guarding)
            collect()
        return actual, leaks

    with mode("strict"):
        if inspect.iscoroutinefunction(program):
            actual, leaks = asyncio.run(watched())
        else:
            with watch() as leaks:
                actual = program(guarding)
                collect()

    assert leaks == []
    assert [event.leak or event.error for event in events] == []
    assert actual == expected


async def probe():
    return "redis"


def tie():
    """Make garbage: a cycle that holds a coroutine nobody awaits."""
    knot = [probe()]
    knot.append(knot)


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
def test_older_garbage_is_not_the_guards(events):
    """A coroutine that somebody else left in a cycle is not blamed on the guard."""

    @guard(returns=Any)
    def check():
        collect()
        return "healthy"

    collect()
    gc.disable()
    try:
        tie()
        with mode("strict"):
            assert check() == "healthy"
    finally:
        gc.enable()

    assert [event for event in events if event.leak.guarded] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
def test_older_garbage_is_not_the_async_guards(events):
    """The same for garbage that another task tied before the check began."""

    @guard(returns=Any)
    async def check():
        await asyncio.sleep(0)
        collect()
        return "healthy"

    async def main():
        tie()
        return await check()

    collect()
    gc.disable()
    try:
        with mode("strict"):
            assert asyncio.run(main()) == "healthy"
    finally:
        gc.enable()

    assert [event for event in events if event.leak.guarded] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
def test_another_threads_drop_is_not_the_guards(events):
    """What a foreign thread drops while a check runs is not the check's."""
    inside, dropped = threading.Event(), threading.Event()

    def careless():
        inside.wait(60)
        for _ in range(10):
            probe()
        dropped.set()

    @guard(returns=Any)
    def check():
        inside.set()
        dropped.wait(60)
        return "healthy"

    thread = threading.Thread(target=careless)
    thread.start()
    with mode("strict"):
        assert check() == "healthy"
    thread.join()

    assert [event for event in events if "check" in (event.leak.guarded or "")] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
def test_a_siblings_drop_is_not_the_guards(events):
    """What a sibling task drops while a check waits is not the check's."""
    inside, dropped = asyncio.Event(), asyncio.Event()

    @guard(returns=Any)
    async def check():
        inside.set()
        await dropped.wait()
        return "healthy"

    async def careless():
        await inside.wait()
        probe()
        dropped.set()

    async def main():
        return (await asyncio.gather(careless(), check()))[1]

    with mode("strict"):
        assert asyncio.run(main()) == "healthy"

    assert [event for event in events if "check" in (event.leak.guarded or "")] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
@pytest.mark.parametrize("mode_name", ["enforce", "strict"])
def test_a_sibling_in_the_same_task_group_is_not_the_guards(mode_name, events):
    """A task of the group around a check is not the check's."""

    async def main():
        inside, dropped = asyncio.Event(), asyncio.Event()

        @guard(returns=Any)
        async def check():
            inside.set()
            await dropped.wait()
            return "healthy"

        async def careless():
            await inside.wait()
            probe()
            dropped.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(careless())
            return await check()

    with mode(mode_name):
        assert asyncio.run(main()) == "healthy"

    assert [event for event in events if "check" in (event.leak.guarded or "")] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
@pytest.mark.parametrize("mode_name", ["enforce", "strict"])
def test_what_else_runs_on_a_borrowed_loop_is_not_the_guards(mode_name, events):
    """A check that drives a shared loop is not blamed for the tasks it finds there."""

    async def careless(go):
        await go.wait()
        probe()

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        go = asyncio.Event()
        background = loop.create_task(careless(go))

        async def wait_for_background():
            go.set()
            while not background.done():
                await asyncio.sleep(0)
            return "healthy"

        @guard(returns=Any)
        def check():
            return loop.run_until_complete(wait_for_background())

        with mode(mode_name):
            assert check() == "healthy"

    assert [event for event in events if "check" in (event.leak.guarded or "")] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
def test_an_older_coroutine_let_go_inside_is_not_the_guards(events):
    """A coroutine made before the call, and let go of inside, was not made by it."""
    sys.set_coroutine_origin_tracking_depth(0)  # which a watch around may have set
    cache = {"state": probe()}

    @guard(returns=Any)
    def check():
        cache["state"] = "redis"
        return "healthy"

    with mode("strict"):
        assert check() == "healthy"

    assert [event for event in events if "check" in (event.leak.guarded or "")] == []


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
def test_a_finished_check_is_not_blamed_for_the_next_drop(events):
    """After a check has returned, what its caller drops is not the check's."""

    @guard(returns=Any)
    def check():
        return "healthy"

    @guard(returns=Any)
    async def acheck():
        return "healthy"

    async def main():
        await acheck()
        probe()

    with mode("strict"):
        check()
        probe()
        asyncio.run(main())

    assert [event for event in events if "check" in (event.leak.guarded or "")] == []


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_exception_is_the_very_same(colour, events):
    """The exception keeps identity, and the guard's frame adds no more than one."""
    error = ConnectionError("down")

    def fails():
        raise error

    async def afails():
        raise error

    with mode("strict"), pytest.raises(ConnectionError) as caught:
        call(guard(returns=Any)(fails if colour == "sync" else afails))

    assert caught.value is error
    assert not hasattr(error, "__notes__")
    assert error.__cause__ is None
    assert error.__context__ is None
    frames = traceback.extract_tb(error.__traceback__)
    assert frames[-1].name in {"fails", "afails"}
    assert events == []


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    code: int = 1


class UnannotatableError(Exception):
    def add_note(self, note):
        raise RuntimeError("no notes")


class SecretiveError(TypeError):
    @property
    def args(self):
        raise RuntimeError("no args")

    def __str__(self):
        raise RuntimeError("no text")


class EvasiveError(AttributeError):
    @property
    def obj(self):
        raise RuntimeError("no object")


@pytest.mark.allow_leaks("*", reason="what it drops is to be nobody's")
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
@pytest.mark.parametrize("dropping", [False, True], ids=["clean", "dropping"])
@pytest.mark.parametrize("mode_name", ["observe", "enforce", "strict"])
@pytest.mark.parametrize(
    "kind", [FrozenError, UnannotatableError, SecretiveError, EvasiveError]
)
def test_an_exception_that_minds_being_touched_still_passes(
    kind, mode_name, dropping, events
):
    """Whatever an exception thinks of notes and questions, it is what passes."""

    @guard(returns=Any)
    def check():
        if dropping:
            probe()
        raise kind

    with mode(mode_name):
        try:
            check()
        except Exception as error:
            passed = type(error)

    assert passed is kind
    assert [event.leak.name for event in events] == ["probe"] * dropping


def test_the_value_is_the_very_same(events):
    """The guard returns the very object of the function."""
    for value in ({}, [], object(), {"a": {"b": [1]}}, (), "text", None):
        with mode("strict"):
            assert guard(returns=Any)(lambda value=value: value)() is value
    assert events == []


class _Forgetful:
    """An object in a cycle whose finalizer uses a coroutine as a value."""

    def __init__(self) -> None:
        self.me = self

    @guard(returns=Any)
    def __del__(self) -> None:
        len(probe())  # type: ignore[arg-type]


def test_a_collection_in_the_middle_of_ast_parse_breaks_no_syntax_tree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``ast.parse`` raised SystemError on 3.11 where a guard explained meanwhile."""
    ignored: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: ignored.append(it.exc_type))
    source = "\n".join(f"x{number} = [a, {{'k': b(c)}}]" for number in range(300))
    thresholds = gc.get_threshold()
    collect()
    gc.disable()
    for _ in range(3):
        _Forgetful()
    gc.set_threshold(1_000)  # so that the first collection is one of the parser's
    gc.enable()
    try:
        ast.parse(source)
    finally:
        gc.set_threshold(*thresholds)
    collect()
    assert TypeError in ignored
