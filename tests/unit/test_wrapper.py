"""Guards on callables of every kind, which stay what they were."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import pickle
import types
import warnings
import weakref
from typing import Any

import attrs
import pytest
import wrapt

from coroguard import guard, watch
from coroguard._inspect.callables import guard_of
from coroguard._runtime.collector import collect


class Parent:
    def name(self) -> str:
        return "parent"

    async def aname(self) -> str:
        return "parent"


@attrs.define
class Slotted(Parent):
    """A class that is made anew for its slots, with the methods of the first one."""

    value: int = 0

    @guard(returns=Any)
    def name(self) -> str:
        return super().name()

    @guard(returns=Any)
    async def aname(self) -> str:
        return await super().aname()

    @staticmethod
    @guard(returns=Any)
    def itself() -> type:
        return __class__  # type: ignore[name-defined, no-any-return]


def test_super_works_in_a_class_that_is_made_anew() -> None:
    """The guard shows the cell of the class to what fills it with the second class."""
    assert Slotted().name() == asyncio.run(Slotted().aname()) == "parent"
    assert Slotted.itself() is Slotted


class Unasked:
    """An argument that may not be asked anything."""

    def __bool__(self) -> bool:
        raise RuntimeError("an argument was asked for its truth")


@pytest.mark.parametrize(
    "signature",
    [
        "ALERT, Scope=None, type=None",
        "hooks, hot, /, scope=1, *, function=2, error=3",
        "value, *more, keyword_0, keyword_1=1, **rest",
        "self, p0, *p1, p2=2, **p3",
    ],
)
def test_parameters_may_have_any_name(signature: str) -> None:
    """Names, kinds, defaults and values of parameters are the function's own."""
    space: dict[str, Any] = {}
    exec(f"def bare({signature}): return locals()", space)
    bare, made = space["bare"], guard(returns=Any)(space["bare"])
    parameters = inspect.signature(bare).parameters.values()
    given = [it for it in parameters if it.default is it.empty]
    values = [Unasked() for it in given if it.kind in (0, 1)]
    named = {it.name: Unasked() for it in given if it.kind == it.KEYWORD_ONLY}
    assert made(*values, **named) == bare(*values, **named)
    names = slice(0, len(list(parameters)))
    assert made.__code__.co_varnames[names] == bare.__code__.co_varnames[names]


def test_warnings_name_the_module_of_the_function() -> None:
    """Two functions that warn alike, on one line of two files, are both heard."""
    source = "def old():\n    warnings.warn('it goes', DeprecationWarning, 2)\n"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for name in ("shop_first", "shop_second"):
            module = types.ModuleType(name)
            vars(module)["warnings"] = warnings
            exec(compile(source, f"{name}.py", "exec"), vars(module))
            guard(returns=Any)(module.old)()
    assert [it.filename for it in seen] == ["shop_first.py", "shop_second.py"]


traced = wrapt.decorator(lambda wrapped, instance, args, named: wrapped(*args, **named))


class Traced:
    @guard(returns=Any)
    @traced
    @classmethod
    def made(cls) -> object:
        return {"by": cls.__name__}

    @guard(returns=Any)
    @traced
    @staticmethod
    async def asked() -> object:
        return {}


def test_a_method_that_a_tracer_wrapped_is_guarded() -> None:
    """A guard above another library's wrapper binds as the wrapper does."""
    assert Traced.made() == {"by": "Traced"}
    assert asyncio.run(Traced.asked()) == {}


def base(a: int, b: int = 0) -> dict[str, int]:
    return {"a": a, "b": b}


@pytest.mark.parametrize("returns", [Any, dict, dict[str, int]])
def test_a_guarded_partial_pickles(returns: Any) -> None:
    """A guarded partial pickles with its terms."""
    made = guard(returns=returns, name="check")(functools.partial(base, 1))
    again = pickle.loads(pickle.dumps(made))
    assert again(2) == {"a": 1, "b": 2}
    assert guard_of(again).name == "check"


def test_a_guarded_function_pickles_by_value() -> None:
    """What cloudpickle makes of a guard is a guard."""
    cloudpickle = pytest.importorskip("cloudpickle")
    module = types.ModuleType("__main__")
    source = "async def fetch(x):\n    return {'x': x}\n"
    exec(source, vars(module))
    made = guard(returns=Any, name="fetch")(module.fetch)
    again = pickle.loads(cloudpickle.dumps(made))
    assert asyncio.run(again(1)) == {"x": 1}
    assert guard_of(again).name == "fetch"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.allow_leaks("fetch", reason="this test leaks on purpose")
def test_a_guarded_function_that_pickles_by_value_sees_drops() -> None:
    """What cloudpickle makes of a guard is alerted as the others are."""
    cloudpickle = pytest.importorskip("cloudpickle")
    module = types.ModuleType("__main__")
    source = "def count():\n    fetch(1)\n    return 1\nasync def fetch(x): ...\n"
    exec(source, vars(module))
    made = guard(returns=Any, name="count")(module.count)
    again = pickle.loads(cloudpickle.dumps(made))
    with watch() as leaks:
        assert again() == 1
    assert [(it.name, it.guarded) for it in leaks] == [("fetch", "count")]


class Task:
    async def __call__(self, number: int) -> dict[str, int]:
        return {"number": number}


def test_an_object_with_an_async_call_stays_async() -> None:
    """A caller that asks a guarded object's ``__call__`` gets its true colour."""
    made: Any = guard(returns=Any)(Task())
    assert inspect.iscoroutinefunction(made.__call__)
    assert asyncio.run(made(1)) == {"number": 1}


def test_a_function_that_is_marked_as_async_runs_at_the_call() -> None:
    """A marked function's code runs when it is called, as without the guard."""
    ran: list[int] = []

    def fetch() -> Any:
        ran.append(1)
        return Task()(5)

    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(fetch)
    else:
        fetch._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    waiting = guard(returns=Any)(fetch)()
    assert ran == [1]
    assert asyncio.run(waiting) == {"number": 5}


def test_the_signature_of_guard_can_be_read() -> None:
    """No address of an object is in the signature of the decorator."""
    assert " at 0x" not in str(inspect.signature(guard))


@pytest.mark.parametrize("mode", ["enforce", "strict"])
def test_an_exception_that_was_an_argument_refers_to_itself_through_no_guard(
    mode: Any,
) -> None:
    """A passing exception is freed without the collector, as without a guard."""

    @guard(returns=Any, mode=mode)
    def fail(error: Exception, *more: Any, key: Any = None, **rest: Any) -> None:
        try:
            raise error
        finally:
            del error, more, key, rest

    @guard(returns=Any, mode=mode)
    async def fail_later(error: Exception, *more: Any, key: Any, **rest: Any) -> None:
        try:
            raise error
        finally:
            del error, more, key, rest

    class OopsError(Exception):
        pass

    def call() -> Any:
        error = OopsError()
        try:
            fail(error, error, key=error, also=error)
        except OopsError as caught:
            return weakref.ref(caught)
        finally:
            del error

    def call_later() -> Any:
        error = OopsError()
        coroutine = fail_later(error, error, key=error, also=error)
        try:
            coroutine.send(None)
        except OopsError as caught:
            return weakref.ref(caught)
        finally:
            del error, coroutine

    collect()
    gc.disable()
    try:
        assert call()() is None
        assert call_later()() is None
    finally:
        gc.enable()


def test_a_guard_is_few_objects() -> None:
    """A program of ten thousand guards is collected about as fast as without."""

    def made() -> Any:
        return guard(returns=Any)(lambda value: value)

    first = made()
    collect()
    before = len(gc.get_objects())
    more = [made() for _ in range(100)]
    collect()
    assert (len(gc.get_objects()) - before) // 100 <= 10
    assert len({id(it) for it in [first, *more]}) == 101


class Held:
    """What a call is given."""


@pytest.mark.parametrize("returns", [None, [1], Held])
def test_a_frame_that_is_kept_keeps_no_argument_of_a_call_that_ended(
    returns: Any,
) -> None:
    """A caught exception keeps the frames of its callers; the guard's lets go.

    A function that clears its own arguments, as event loops do, would otherwise see
    them live until the next collection.
    """

    @guard(returns=Any)
    def careful(argument: Any, *more: Any, named: Any, **rest: Any) -> Any:
        del argument, more, named, rest
        try:
            raise KeyError
        except KeyError as error:
            kept.append(error)
        return returns

    kept: list[BaseException] = []
    argument = Held()
    seen = weakref.ref(argument)
    careful(argument, argument, named=argument, other=argument)
    del argument
    assert (len(kept), seen()) == (1, None)
