"""Guards, which keep their function as it was and judge its result."""

from __future__ import annotations

import abc
import asyncio
import copy
import copyreg
import dataclasses
import enum
import functools
import inspect
import operator
import pickle
import traceback
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Protocol

import pytest
from pydantic import BaseModel

from coroguard import (
    CoroutineLeakError,
    GuardUsageError,
    HealthReport,
    HealthReportError,
    LeakKind,
    guard,
    mode,
)
from coroguard._inspect.callables import guard_of, is_guarded, reaches_guard
from coroguard._runtime.collector import collect

REPORT: dict[str, Any] = {
    "healthy": True,
    "failed_components": [],
    "component_details": {"redis": {"status": "healthy"}},
    "error_suggestions": [],
    "timestamp": "2025-09-09T12:00:00+00:00",
    "summary": "all well",
}


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let go of what a test's tracebacks hold before the next test begins."""
    yield
    collect()


async def is_connected() -> bool:
    return True


@guard(returns=Any)
def guarded(a: int, /, b: int = 2, *args: int, c: int = 3, **rest: int) -> object:
    """Add up."""
    return a + b + sum(args) + c + sum(rest.values())


@guard(returns=Any)
async def aguarded(a: int, *, b: int = 2) -> object:
    return a + b


def test_the_signature_stays() -> None:
    """Name, docstring, signature and annotations are the function's own."""
    expected = "(a: 'int', /, b: 'int' = 2, *args: 'int', c: 'int' = 3, **rest: 'int')"
    assert str(inspect.signature(guarded)) == f"{expected} -> 'object'"
    assert (guarded.__name__, guarded.__doc__) == ("guarded", "Add up.")
    assert guarded.__module__ == __name__


def test_every_kind_of_argument_arrives() -> None:
    """Positional, defaulted, variable and keyword arguments pass unchanged."""
    assert guarded(1) == 6
    assert guarded(1, 1, 1, c=1, d=1) == 5


def test_a_wrong_call_is_the_functions_own_error() -> None:
    """A missing argument is reported under the function's name."""
    with pytest.raises(TypeError, match=r"guarded\(\) missing 1 required positional"):
        guarded()  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["type", "ALERT", "value", "_cg_value"])
def test_parameter_names_are_free(name: str) -> None:
    """A parameter may be called as something that the wrapper uses."""
    function = guard(returns=Any)(eval(f"lambda {name}: {name}"))
    assert function(5) == 5


def test_colour_stays() -> None:
    """A sync function stays sync and an async one stays async."""
    assert not inspect.iscoroutinefunction(guarded)
    assert inspect.iscoroutinefunction(aguarded)
    assert asyncio.run(aguarded(1)) == 3


class Base(abc.ABC):
    @guard(returns=Any)
    @abc.abstractmethod
    def inner(self) -> int: ...

    @abc.abstractmethod
    @guard(returns=Any)
    def outer(self) -> int: ...


def test_abstract_methods_stay_abstract() -> None:
    """``__isabstractmethod__`` survives in either decorator order."""
    assert Base.__abstractmethods__ == {"inner", "outer"}


class Checks:
    leak = staticmethod(is_connected)

    @guard(returns=Any)
    def method(self) -> object:
        return is_connected()

    @guard(returns=Any)
    @staticmethod
    def static_inside() -> object:
        return is_connected()

    @staticmethod
    @guard(returns=Any)
    def static_outside() -> object:
        return is_connected()

    @guard(returns=Any)
    @classmethod
    def class_inside(cls) -> object:
        return is_connected()

    @classmethod
    @guard(returns=Any)
    def class_outside(cls) -> object:
        return is_connected()

    @property
    @guard(returns=Any)
    def getter(self) -> object:
        return is_connected()

    def bare(self) -> object:
        return is_connected()


METHODS = [
    "method",
    "static_inside",
    "static_outside",
    "class_inside",
    "class_outside",
]


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_guarded_in_either_order(name: str) -> None:
    """Methods, static methods and class methods are guarded and named."""
    with pytest.raises(CoroutineLeakError) as caught:
        getattr(Checks(), name)()
    assert caught.value.leak.guarded == f"Checks.{name}"


def test_a_getter_is_guarded_under_its_property() -> None:
    """The getter of a property can be guarded, the property cannot."""
    with pytest.raises(CoroutineLeakError):
        _ = Checks().getter


def test_a_bound_method_is_guarded() -> None:
    """Guarding a bound method leaves the class alone."""
    checks = Checks()
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(checks.bare)()
    leaked = checks.bare()
    assert inspect.iscoroutine(leaked)
    leaked.close()


class AsyncCall:
    async def __call__(self) -> object:
        return is_connected()


class SyncCall:
    extra = 1

    def __call__(self) -> object:
        return is_connected()


def lossy() -> Any:
    return is_connected()


CALLABLES: dict[str, Callable[[], Any]] = {
    "partial": functools.partial(operator.methodcaller("bare"), Checks()),
    "callable object": SyncCall(),
    "async callable object": AsyncCall(),
    "lossy wrapper": lossy,
    "lambda": lambda: is_connected(),
    "cache": functools.lru_cache(lambda: is_connected()),
}


@pytest.mark.parametrize("kind", CALLABLES)
def test_other_callables_are_guarded(kind: str) -> None:
    """Partials, callable objects, caches and lossy wrappers are guarded."""
    function = guard(returns=Any)(CALLABLES[kind])
    with pytest.raises(CoroutineLeakError) as caught:
        asyncio.run(function())
    assert caught.value.leak.kind is LeakKind.RETURNED


def test_an_object_keeps_its_attributes() -> None:
    """A guarded callable object is still its class's instance."""
    proxy = guard(returns=Any)(SyncCall())
    assert isinstance(proxy, SyncCall)
    assert proxy.extra == 1


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_a_copied_object_stays_guarded(again: Callable[[Any], Any]) -> None:
    """Copies of a guarded callable object are guarded too."""
    with pytest.raises(CoroutineLeakError):
        again(guard(returns=Any)(SyncCall()))()


def test_functions_pickle_by_name() -> None:
    """A guarded function pickles to itself."""
    assert pickle.loads(pickle.dumps(guarded)) is guarded
    assert copy.deepcopy(guarded) is guarded


@guard(returns=Any)
@functools.lru_cache
def cached(number: int) -> int:
    return number


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))]
)
def test_a_cached_function_is_copied_and_pickled_by_name(again: Any) -> None:
    """A function with a cache stays itself, as it does without a guard."""
    assert again(cached) is cached


def test_a_guarded_built_in_is_pickled_as_a_guard_of_it() -> None:
    """Its module has the bare function under that name, which is not the guard."""
    made = guard(returns=Any)(len)
    again = pickle.loads(pickle.dumps(made))
    assert again([1]) == 1
    assert type(again) is type(made)


class _Registered:
    def __call__(self) -> int:
        return 1

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("only copyreg knows")


copyreg.pickle(_Registered, lambda _: (_Registered, ()))


def test_a_class_that_copyreg_pickles_is_pickled_so() -> None:
    """A guarded object pickles in the way that its class is registered with."""
    made = guard(returns=Any)(_Registered())
    assert pickle.loads(pickle.dumps(made))() == 1


def generator() -> Any:
    yield


async def async_generator() -> Any:
    yield


@pytest.mark.parametrize(
    "target",
    [
        Checks,
        property(lambda self: 1),
        functools.cached_property(lambda self: 1),
        generator,
        async_generator,
        functools.partial(async_generator),
        5,
    ],
    ids=[
        "class",
        "property",
        "cached property",
        "generator",
        "async generator",
        "partial of one",
        "number",
    ],
)
def test_what_cannot_be_guarded_is_refused(target: Any) -> None:
    """Nothing is left bare in silence: decoration raises, with the fix."""
    with pytest.raises(GuardUsageError, match=r"put @guard "):
        guard(target)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "strickt"}, "Did you mean 'strict'"),
        ({"returns": "HealthReport"}, "give the type itself"),
        ({"returns": 42}, "is not a type"),
        ({"dropped": "no"}, "neither True nor False"),
        ({"name": 5}, "not text"),
    ],
    ids=["mode", "text contract", "no type", "dropped", "name"],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], words: str) -> None:
    """An option that cannot work is refused at decoration, with what to type."""
    with pytest.raises(GuardUsageError, match=words):
        guard(**options)


def test_the_very_object_comes_back() -> None:
    """A right report is returned as the object that it was."""
    report = dict(REPORT)
    model = HealthReport.model_validate(report)
    assert guard(lambda: report)() is report
    assert guard(lambda: model)() is model


def test_an_assigned_coroutine_is_found_in_an_instance() -> None:
    """A coroutine smuggled into a model by assignment is found."""
    model = HealthReport.model_validate(REPORT)
    model.__dict__["summary"] = leaked = is_connected()
    with pytest.raises(CoroutineLeakError) as caught:
        guard(lambda: model)()
    assert caught.value.leak.path == "$.summary"
    assert inspect.getcoroutinestate(leaked) == "CORO_CLOSED"


class Sized(Protocol):
    def size(self) -> int: ...


class Arbitrary:
    def size(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("returns", "right", "wrong"),
    [
        (int, 3, "3"),
        (dict[str, int], {"a": 1}, {"a": "1"}),
        (int | None, None, "x"),
        (None, None, 1),
        (Arbitrary, Arbitrary(), object()),
        (Sized, Arbitrary(), object()),
        (Callable[[], int], len, 5),
    ],
    ids=["int", "dict", "union", "none", "class", "protocol", "callable"],
)
def test_any_type_can_be_the_contract(returns: Any, right: Any, wrong: Any) -> None:
    """pydantic or typeguard checks the type, without coercion."""
    check = guard(returns=returns)(lambda value: value)
    with mode("strict"):
        assert check(right) is right
        with pytest.raises(HealthReportError):
            check(wrong)


def facade() -> Awaitable[dict[str, Any]]:
    async def inner() -> dict[str, Any]:
        return {"healthy": "yes"}

    return inner()


def nested_facade() -> Coroutine[Any, Any, Any]:
    async def inner() -> Any:
        return {"x": is_connected()}

    return inner()


def test_a_promised_awaitable_is_awaited_through() -> None:
    """``-> Awaitable`` is a promise; the awaited result is checked."""
    with mode("strict"), pytest.raises(HealthReportError):
        asyncio.run(guard(facade)())  # type: ignore[arg-type]
    with pytest.raises(CoroutineLeakError) as caught:
        asyncio.run(guard(nested_facade)())
    assert caught.value.leak.path == "$.x"


def task_facade() -> asyncio.Task[bool]:
    return asyncio.get_running_loop().create_task(is_connected())


async def test_a_promised_task_is_handed_out_as_it_is() -> None:
    """``-> asyncio.Task`` returns the task itself."""
    task = guard(returns=Any)(task_facade)()
    assert isinstance(task, asyncio.Task)
    assert await task is True


async def test_a_refused_task_goes_on() -> None:
    """A leaked task, and the coroutine that a task holds, are not closed."""
    holder: dict[str, Any] = {}

    def returns_task() -> Any:
        holder["coroutine"] = is_connected()
        holder["task"] = asyncio.create_task(holder["coroutine"])
        return {"a": holder["task"], "b": holder["coroutine"]}

    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(returns_task)()
    assert await holder["task"] is True


def test_a_refused_coroutine_is_closed() -> None:
    """A coroutine that never started is closed: no warning follows."""
    with pytest.raises(CoroutineLeakError) as caught:
        guard(returns=Any)(lambda: is_connected())()
    assert caught.value.leak.name == "is_connected"


def fails() -> object:
    raise KeyError("x")


def test_exceptions_pass_untouched() -> None:
    """One frame, at the function's own line, is all that a guard adds."""
    with pytest.raises(KeyError) as caught:
        guard(returns=Any)(fails)()
    frames = traceback.extract_tb(caught.value.__traceback__)[1:]
    assert [frame.name for frame in frames] == ["fails", "fails"]
    assert {frame.filename for frame in frames} == {__file__}
    assert not hasattr(caught.value, "__notes__")


def test_the_error_ends_at_the_function() -> None:
    """A leak's traceback ends at the guarded function, not inside the guard."""
    with pytest.raises(CoroutineLeakError) as caught:
        Checks().method()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    code = inspect.unwrap(Checks.method).__code__
    assert (last.filename, last.lineno) == (__file__, code.co_firstlineno)


def misuses() -> object:
    return is_connected().real  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.allow_leaks("*", reason="it leaks on purpose")
def test_a_passing_exception_is_noted() -> None:
    """What a coroutine caused passes unchanged, with a note that names it."""
    with pytest.raises(AttributeError) as caught:
        guard(returns=Any)(misuses)()
    (note,) = caught.value.__notes__
    assert "coroutine 'is_connected'" in note


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.allow_leaks("*", reason="it leaks on purpose")
def test_an_unlooked_drop_is_nobodys() -> None:
    """``dropped=False`` leaves what the call dropped to others."""

    def drops() -> object:
        is_connected()
        return 1

    with mode("strict"):
        assert guard(returns=Any, dropped=False)(drops)() == 1
        with pytest.raises(CoroutineLeakError):
            guard(returns=Any)(drops)()


def test_a_guarded_function_is_still_a_function() -> None:
    """The closure of a plain function is a plain function."""
    assert type(guarded) is types.FunctionType


class Quiet:
    """Classes of every kind that can have a guarded method."""

    class Own:
        made: typing.ClassVar[list[str]] = []

        @guard(returns=Any)
        def check(self) -> int:
            return 1

        def __init_subclass__(cls, tag: str = "", **rest: Any) -> None:
            super().__init_subclass__(**rest)
            cls.made.append(f"{cls.__name__} {tag}")

    class Model(BaseModel):
        x: int = 1

        @guard(returns=Any)
        def check(self) -> int:
            return self.x

    @dataclasses.dataclass(slots=True)
    class Slotted:
        x: int = 1

        @guard(returns=Any)
        def check(self) -> int:
            return self.x

    class Colour(enum.Enum):
        RED = 1

        @guard(returns=Any)
        def check(self) -> int:
            return self.value

    class Abstract(abc.ABC):
        @guard(returns=Any)
        @abc.abstractmethod
        def check(self) -> int: ...

    @typing.runtime_checkable
    class Shape(Protocol):
        @guard(returns=Any)
        def check(self) -> int: ...

    class Pair(typing.NamedTuple):
        x: int = 1

        @guard(returns=Any)
        def check(self) -> int:
            return self.x


def test_classes_of_every_kind_work_as_before() -> None:
    """A class with guarded methods is subclassed as any other of its kind."""

    class Child(Quiet.Own, tag="red"):
        pass

    assert Quiet.Own.made == ["Child red"]

    class ChildModel(Quiet.Model):
        y: int = 2

    assert (ChildModel().check(), set(ChildModel.model_fields)) == (1, {"x", "y"})

    class ChildSlotted(Quiet.Slotted):
        pass

    assert ChildSlotted(x=3).check() == 3
    assert Quiet.Colour.RED.check() == 1
    assert [*Quiet.Colour] == [Quiet.Colour.RED]
    assert Quiet.Pair(5).check() == 5
    assert isinstance(Child(), Quiet.Shape)
    assert not isinstance(object(), Quiet.Shape)
    with pytest.raises(TypeError, match="abstract"):
        Quiet.Abstract()  # type: ignore[abstract]


class ReadOnly(type):
    def __setattr__(cls, name: str, value: object) -> None:
        raise AttributeError(f"{cls.__name__} is read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]


def test_a_class_stays_as_it_is() -> None:
    """Guarded methods add nothing to their class, which may forbid changes."""

    class Settings(metaclass=ReadOnly):
        @guard(returns=Any)
        def check(self) -> int:
            return 1

    class Bare(metaclass=ReadOnly):
        def check(self) -> int:
            return 1

    assert Settings().check() == 1
    assert set(vars(Settings)) == set(vars(Bare))


def test_guards_are_known_by_their_wrappers() -> None:
    """Guards of every kind are known, with their terms; other callables are not."""
    bare = [fails, is_connected, Base, len, None, 5]
    assert [it for it in bare if is_guarded(it) or guard_of(it)] == []
    for made in (
        guard(returns=Any)(fails),
        guard(returns=Any)(is_connected),
        guard(returns=Any, dropped=False)(fails),
        guard(returns=Any)(len),
        vars(Checks)["class_inside"],
    ):
        assert is_guarded(made)
        assert guard_of(made).contract.is_open


def test_a_copy_of_attributes_is_not_a_guard() -> None:
    """functools.wraps around a guard makes no guard, but reaches one."""
    made = guard(returns=Any)(fails)

    @functools.wraps(made)
    def call() -> object:
        return made()

    assert not is_guarded(call)
    assert reaches_guard(call)
    assert reaches_guard(functools.partial(call, None))
