"""The helpers for tests: collisions, twins and reports."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import inspect
import sys
import types
import unittest
import warnings
import weakref
from typing import Any

import pytest
from pydantic import ValidationError

from coroguard import CoroutineLeakError, GuardUsageError, HealthReport, guard
from coroguard._runtime.collector import collect
from coroguard.testing import (
    GuardedAsyncTestCase,
    GuardedTestCase,
    async_twin,
    collide,
    health_report,
    survivors,
    sync_twin,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited",
    "ignore:It is deprecated to return a value that is not None",
)


def add(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


async def aadd(a: int, b: int = 2) -> int:
    """Add."""
    await asyncio.sleep(0)
    return a + b


class Manager:
    def is_connected(self) -> bool:
        return True

    @staticmethod
    def port() -> int:
        return 6379

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    @property
    def url(self) -> str:
        return "redis://"


class Child(Manager):
    pass


@pytest.fixture
def module(monkeypatch):
    """A module with functions of both colours, importable by its name."""
    made = types.ModuleType("colliding_module")
    made.add, made.aadd, made.Manager, made.number = add, aadd, Manager, 1
    monkeypatch.setitem(sys.modules, "colliding_module", made)
    return made


# --- twins


@pytest.mark.parametrize(
    ("twin", "original"),
    [(async_twin(add), add), (sync_twin(aadd), aadd)],
    ids=["async twin", "sync twin"],
)
def test_a_twin_looks_like_its_original(twin, original):
    """A twin has the name, documentation, signature and place of its original."""
    for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(twin, attribute) == getattr(original, attribute)
    assert inspect.signature(twin) == inspect.signature(original)
    assert twin.__code__.co_filename == original.__code__.co_filename
    assert twin.__code__.co_firstlineno == original.__code__.co_firstlineno


def test_an_async_twin_gives_the_same_result():
    """An async twin is a coroutine function with the same result and errors."""
    twin = async_twin(add)
    assert inspect.iscoroutinefunction(twin)
    assert asyncio.run(twin(1, b=5)) == 6
    with pytest.raises(TypeError, match="unsupported operand"):
        asyncio.run(twin(1, None))  # type: ignore[arg-type]


def test_a_sync_twin_gives_the_same_result():
    """A sync twin is not a coroutine function and runs the coroutine to its end."""
    twin = sync_twin(aadd)
    assert not inspect.iscoroutinefunction(twin)
    assert twin(1, b=5) == 6


async def test_a_sync_twin_works_where_a_loop_runs():
    """Inside a running loop it works too, with the context, and errors come out."""
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(5)

    async def read(fails: bool) -> int:
        if fails:
            raise KeyError("x")
        return variable.get()

    assert sync_twin(read)(False) == 5
    with pytest.raises(KeyError):
        sync_twin(read)(True)


def test_twins_of_other_callables():
    """Partials, methods and built-in functions have twins too."""
    assert asyncio.run(async_twin(functools.partial(add, 1))()) == 3
    assert asyncio.run(async_twin(Manager().is_connected)()) is True
    assert asyncio.run(async_twin(len)("abc")) == 3


@pytest.mark.parametrize(
    ("make", "target", "words"),
    [
        (async_twin, aadd, r"a coroutine function already; use sync_twin\(aadd\)"),
        (sync_twin, add, r"not a coroutine function; use async_twin\(add\)"),
        (async_twin, Manager, "a class"),
        (async_twin, 5, "not callable"),
    ],
    ids=["async of async", "sync of sync", "class", "number"],
)
def test_no_twin(make, target, words):
    """What has no twin is refused, with what to type."""
    with pytest.raises(GuardUsageError, match=words):
        make(target)


# --- collisions


@pytest.mark.parametrize(
    "target",
    ["colliding_module:add", "colliding_module.add"],
    ids=["colon", "dots"],
)
def test_a_name_collides_and_is_put_back(module, target):
    """Inside the block the name resolves to the async twin, afterwards to itself."""
    with collide(target):
        assert asyncio.run(module.add(1)) == 3
    assert module.add is add


def test_an_object_and_a_name(module):
    """The target may be an object and a name; a coroutine function turns sync."""
    with collide(module, "aadd"):
        assert module.aadd(1) == 3
    assert module.aadd is aadd


def test_it_is_put_back_whatever_happens(module):
    """The name is put back when the block raises."""
    with pytest.raises(KeyError), collide("colliding_module:add"):
        raise KeyError("x")
    assert module.add is add


@pytest.mark.parametrize("name", ["is_connected", "port", "name"])
def test_methods_stay_methods(module, name):
    """Methods, static and class methods collide as what they are."""
    before = vars(Manager)[name]
    expected = getattr(Manager(), name)()
    with collide(f"colliding_module:Manager.{name}"):
        assert type(vars(Manager)[name]) is type(before)
        assert asyncio.run(getattr(Manager(), name)()) == expected
    assert vars(Manager)[name] is before


def test_an_inherited_name_is_taken_off_again():
    """A name that the owner only inherited is not left behind on it."""
    with collide(Child, "is_connected"):
        assert asyncio.run(Child().is_connected()) is True
        assert Manager().is_connected() is True
    assert "is_connected" not in vars(Child)


def test_an_instance_collides_alone():
    """On an instance only that instance collides."""
    one, other = Manager(), Manager()
    with collide(one, "is_connected"):
        assert asyncio.run(one.is_connected()) is True
        assert other.is_connected() is True
    assert vars(one) == {}


def test_it_decorates_both_colours(module):
    """As a decorator it holds during each call, of sync and async functions."""

    @collide("colliding_module:add")
    def sync() -> bool:
        return inspect.iscoroutinefunction(module.add)

    @collide("colliding_module:add")
    async def asynchronous() -> bool:
        await asyncio.sleep(0)
        return inspect.iscoroutinefunction(module.add)

    assert (sync(), sync(), asyncio.run(asynchronous())) == (True, True, True)
    assert module.add is add


def test_a_guard_sees_the_collision(module):
    """The twin makes a guarded check fail, and the error names the original."""

    def check() -> dict[str, Any]:
        return health_report(component_details={"sum": {"status": module.add(1)}})

    with collide("colliding_module:add"), pytest.raises(CoroutineLeakError) as caught:
        guard(check)()
    assert caught.value.leak.name == "add"
    line = add.__code__.co_firstlineno
    assert caught.value.leak.defined.endswith(f"test_testing.py:{line}")


def test_start_and_undo(module):
    """Started by hand it is refused a second time, and undone once."""
    collision = collide("colliding_module:add").start()
    assert collision.is_active
    with pytest.raises(GuardUsageError, match="collides already"):
        collision.start()
    collision.undo()
    collision.undo()
    assert module.add is add


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("colliding_modul:add",), r"no module 'colliding_modul'; write collide\("),
        (("colliding_module:ad",), r"no attribute 'ad'\. Did you mean 'add'\?"),
        (("colliding_module:Manger.port",), "Did you mean 'Manager'?"),
        (("colliding_module:number",), "not callable"),
        (("colliding_module:Manager",), "a class"),
        (("colliding_module:Manager.url",), "a property"),
        (("add",), "'add' is not the path of a function; write"),
        ((5,), r"write collide\(\"package.module:function\"\)"),
        (("colliding_module", "add"), "one string, or an object and a name"),
        (("", "add"), "one string, or an object and a name"),
        (([], "append"), "cannot be set"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_target_is_refused(module, arguments, words):
    """A target that leads nowhere is refused, with what to type."""
    with pytest.raises(GuardUsageError, match=words), collide(*arguments):
        pass


def test_a_module_that_fails_is_named(tmp_path, monkeypatch):
    """Where the module itself fails to import, its error is named."""
    (tmp_path / "needs_more.py").write_text("import no_such_thing_anywhere\n")
    (tmp_path / "is_broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(GuardUsageError, match="No module named 'no_such_thing"):
        collide("needs_more:x")
    with pytest.raises(GuardUsageError, match="ZeroDivisionError"):
        collide("is_broken:x")


def test_an_unknown_kind_is_refused(module):
    """An unknown kind is refused with the nearest right one."""
    with pytest.raises(GuardUsageError, match="Did you mean 'rebinding'"):
        collide("colliding_module:add", kind="rebindin")


# --- reports


def test_a_report_is_right_as_it_stands():
    """A report without overrides is a healthy one that the model accepts."""
    assert HealthReport.model_validate(health_report()).healthy is True
    assert guard(health_report)()["summary"] == "all is well"


def test_from_failed_components_the_rest_follows():
    """A report of failed components is consistent."""
    report = health_report(failed_components=["redis"], as_model=True)
    assert not report.healthy
    assert report.component_details["redis"].status == "failed"
    assert report.error_suggestions == ["restart redis"]


def test_a_wrong_value_can_be_planted():
    """A dictionary takes any override; the model validates it."""
    assert health_report(healthy="yes")["healthy"] == "yes"
    with pytest.raises(ValidationError):
        health_report(healthy="yes", as_model=True)


# --- survivors


@pytest.fixture
def no_survivors(collected_by_hand):
    """Give every coroutine that lives before a test an owner."""
    survivors.begin()
    for _ in range(2):  # the second time, no old one is left to be looked for
        survivors.assign(survivors.find(), "earlier")


def test_survivors_are_found_without_a_walk_of_the_heap(no_survivors, monkeypatch):
    """No old object is looked at while no coroutine of a test has grown old."""
    collect()
    coroutine = twin()
    look = gc.get_objects

    def young_only(generation):
        assert generation < 2
        return look(generation)

    monkeypatch.setattr(gc, "get_objects", young_only)
    assert [it is coroutine for it in survivors.find()] == [True]
    survivors.assign([coroutine], "this")
    collect()
    assert survivors.find() == []
    assert survivors.owner_of(coroutine) == "this"
    coroutine.close()


def test_a_survivor_that_has_grown_old_is_found(no_survivors):
    """A coroutine is found, and keeps its owner, however many collections it sees."""
    coroutine = twin()
    collect()
    assert [it is coroutine for it in survivors.find()] == [True]
    survivors.assign([coroutine], "this")
    assert survivors.find() == []
    assert survivors.has_survivors("this")
    coroutine.close()
    del coroutine
    assert not survivors.has_survivors("this")


def test_no_weak_reference_to_a_coroutine_is_made_while_it_is_dropped(
    no_survivors, monkeypatch
):
    """A collection amid a drop leaves no weak reference behind, which would crash."""
    references = []

    def hook(coroutine):
        collect()
        survivors.assign(survivors.find(), "this")
        references.append(weakref.getweakrefcount(coroutine))

    monkeypatch.setattr(warnings, "_warn_unawaited_coroutine", hook)
    twin()
    assert references == [0]


def test_a_new_coroutine_at_an_old_address_has_no_owner():
    """The owner of a coroutine is not that of the next one at its address."""
    first = twin()
    survivors.assign([first], "earlier")
    first.close()
    address = id(first)
    del first
    later = [twin() for _ in range(9)]
    assert address in map(id, later)
    assert {survivors.owner_of(it) for it in later} == {None}
    for it in later:
        it.close()


# --- unittest's cases


async def twin() -> bool:
    return True


def outcome(case: type[unittest.TestCase], method: str = "test_it") -> str:
    """Run one test of a case; return its error's last lines, or nothing."""
    result = case(method).run()
    assert result is not None
    assert result.testsRun == 1
    return "".join(text for _, text in [*result.errors, *result.failures])


class Leaky(GuardedTestCase):
    __test__ = False

    def test_it(self) -> None:
        twin()

    def test_clean(self) -> None:
        assert self.leaks == []

    def test_cycle(self) -> None:
        cycle: list[Any] = [twin()]
        cycle.append(cycle)

    async def test_async(self) -> None:
        pass

    def test_fails(self) -> None:
        twin()
        self.fail("by itself")


class LeakySetUp(GuardedTestCase):
    __test__ = False

    def setUp(self) -> None:
        twin()

    def test_it(self) -> None:
        pass


class LeakyCleanup(GuardedTestCase):
    __test__ = False

    def test_it(self) -> None:
        self.addCleanup(lambda: bool(twin()))


class Async(GuardedAsyncTestCase):
    __test__ = False

    async def test_it(self) -> None:
        twin()

    async def test_clean(self) -> None:
        assert await twin()
        with pytest.raises(CoroutineLeakError):
            guard(returns=Any)(lambda: bool(twin()))()


class AsyncSetUp(GuardedAsyncTestCase):
    __test__ = False

    async def asyncSetUp(self) -> None:
        twin()

    async def test_it(self) -> None:
        pass


@pytest.mark.parametrize(
    ("case", "method", "words"),
    [
        (Leaky, "test_it", "Leaky.test_it() left a coroutine behind"),
        (Leaky, "test_cycle", "Leaky.test_cycle() left a coroutine behind"),
        (Leaky, "test_async", "coroutine 'Leaky.test_async'"),
        (LeakySetUp, "test_it", "LeakySetUp.test_it left a coroutine behind"),
        (LeakyCleanup, "test_it", "cleanup of LeakyCleanup.test_it left a coroutine"),
        (Async, "test_it", "Async.test_it() left a coroutine behind"),
        (AsyncSetUp, "test_it", "AsyncSetUp.test_it left a coroutine behind"),
    ],
    ids=[
        "dropped",
        "cycle",
        "nobody awaits",
        "setUp",
        "cleanup",
        "async",
        "asyncSetUp",
    ],
)
def test_a_case_fails_for_its_leaks(case, method, words):
    """A guarded case fails for what its test, setup or cleanup leaks."""
    told = outcome(case, method)
    assert words in told
    assert told.count("coroguard.CoroutineLeakError:") == 1


@pytest.mark.parametrize("case", [Leaky, Async])
def test_a_clean_case_passes(case):
    """A guarded case whose test leaks nothing passes, in strict mode."""
    assert outcome(case, "test_clean") == ""


def test_a_case_that_fails_by_itself_shows_its_own_failure():
    """A failure of the test itself stays what it is."""
    told = outcome(Leaky, "test_fails")
    assert "AssertionError: by itself" in told
    assert "CoroutineLeakError" not in told


def test_a_case_leaves_nothing_behind():
    """After a guarded case the mode and the test method are as before."""
    from coroguard._runtime.modes import current

    before, case = current(), Leaky("test_clean")
    case.run()
    assert current() is before
    assert "test_clean" not in vars(case)
