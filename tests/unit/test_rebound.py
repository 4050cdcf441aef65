"""Does a guard notice when its name comes to lead to something else?"""

from __future__ import annotations

import abc
import dataclasses
import enum
import gc
import importlib
import itertools
import re
import sys
import typing
from typing import Any, NamedTuple, Protocol

import pytest
from pydantic import BaseModel

from coroguard import GuardUsageError, guard, mode, subscribe
from coroguard._guard.rebound import watch_subclasses
from coroguard._inspect.guarded import is_guarded, reaches_guard, terms_of

NUMBERS = itertools.count()


@pytest.fixture
def told():
    """The texts of all that is reported in the test."""
    seen = []
    unsubscribe = subscribe(lambda event: seen.append((event.action, event.error)))
    with mode("enforce"):
        yield seen
    unsubscribe()


@pytest.fixture
def run_module(tmp_path, monkeypatch):
    """Import source as a module of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def run(source):
        name = f"rebound_module_{next(NUMBERS)}"
        names.append(name)
        (tmp_path / f"{name}.py").write_text(
            f"from typing import Any\nfrom coroguard import guard\n{source}"
        )
        return importlib.import_module(name)

    yield run
    for name in names:
        sys.modules.pop(name, None)
    # What an import that failed has left is looked at now, and in no later test.
    gc.collect()


class Base:
    @guard(returns=Any)
    def check(self):
        return {"ok": True}

    @guard(returns=Any)
    async def acheck(self):
        return {"ok": True}

    @staticmethod
    @guard(returns=Any)
    def port():
        return 6379


async def flip(self):
    return {"ok": True}


def plain(self):
    return {"ok": True}


def subclass(name, method, base=Base):
    return type("Sub", (base,), {name: method})


# --- overrides


@pytest.mark.parametrize(
    ("name", "method", "words"),
    [
        ("check", plain, ["overrides the guarded Base.check and is not guarded"]),
        ("check", flip, ["is not guarded", "make it sync as Base.check is"]),
        ("acheck", plain, ["is not guarded", "make it async as Base.acheck is"]),
        ("check", guard(returns=Any)(flip), ["in another colour", "make it sync"]),
        ("acheck", guard(returns=Any)(plain), ["in another colour", "make it async"]),
        ("port", staticmethod(lambda: 1), ["Base.port and is not guarded"]),
    ],
    ids=["bare", "bare flip", "bare flip back", "flip", "flip back", "static"],
)
def test_an_override_without_the_guard_is_reported(told, name, method, words):
    """An override that lost the guard or the colour is reported with both places."""
    subclass(name, method)

    [(action, error)] = told
    assert (action, type(error)) == ("reported", GuardUsageError)
    text = str(error)
    assert [word for word in words if word not in text] == []
    assert text.count("test_rebound.py:") == 2
    assert text.splitlines()[-1].startswith("  fix:      ")


@pytest.mark.parametrize("method", [plain, flip], ids=["bare", "flip"])
def test_strict_mode_makes_no_such_class(told, method):
    """In strict mode the class statement itself raises."""
    with mode("strict"), pytest.raises(GuardUsageError, match="overrides the guarded"):
        subclass("check", method)
    assert [action for action, _ in told] == ["raised"]


def test_off_says_nothing(told):
    """In mode off nothing is said."""
    with mode("off"):
        subclass("check", flip)
    assert told == []


def test_a_class_is_watched_once(told):
    """A guard by path and one by decorator in one class report once."""
    watch_subclasses(Base)
    subclass("check", plain)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("check", guard(returns=Any)(plain)),
        ("acheck", guard(returns=Any)(flip)),
        ("other", plain),
        ("check", property(plain)),
        ("check", None),
        ("check", Base),
    ],
    ids=["guarded", "async guarded", "another name", "property", "None", "a class"],
)
def test_a_right_override_is_left_alone(told, name, method):
    """Nothing is said where the guard is there, or nothing callable overrides."""
    with mode("strict"):
        subclass(name, method)
    assert told == []


def test_a_facade_is_no_other_colour(told):
    """A sync override that says it gives an awaitable keeps the colour."""

    class Facade(Base):
        @guard(returns=Any)
        def acheck(self) -> typing.Awaitable[dict[str, bool]]:
            return super().acheck()

    assert told == []


def test_a_decorated_guard_still_overrides_guarded(told):
    """A decorator on top of a guard does not hide it."""

    def logged(function):
        def call(*args):
            return function(*args)

        return call

    subclass("check", logged(guard(returns=Any)(plain)))
    assert told == []


def test_a_mixin_that_stands_before_the_guard_is_reported(told):
    """A method that only comes first in the order of the bases overrides, too."""
    mixin = type("Mixin", (), {"check": plain})
    made = type("Made", (mixin, Base), {})
    [(_, error)] = told
    assert "Mixin.check overrides the guarded Base.check" in str(error)
    type("Again", (made,), {})
    assert len(told) == 1


def test_a_guard_that_stands_first_is_fine(told):
    """A guarded method before an unguarded one of no relation is left alone."""
    type("Made", (Base, type("Other", (), {"check": plain})), {})
    assert told == []


def test_an_override_of_an_override_is_told_once(told):
    """What was told of one class is not told again of its children."""
    middle = subclass("check", plain)
    subclass("check", plain, base=middle)
    type("Quiet", (middle,), {})
    assert len(told) == 1


def test_grandchildren_are_looked_at(told):
    """The guard is missed in a class that is further down, too."""
    subclass("check", plain, base=type("Middle", (Base,), {}))
    assert len(told) == 1


class Quiet:
    """Classes of every kind that a guarded method may stand in."""

    class Own:
        made: typing.ClassVar[list[str]] = []

        @guard(returns=Any)
        def check(self):
            return 1

        def __init_subclass__(cls, tag="", **rest):
            super().__init_subclass__(**rest)
            cls.made.append(f"{cls.__name__} {tag}")

    class Model(BaseModel):
        x: int = 1

        @guard(returns=Any)
        def check(self):
            return self.x

    @dataclasses.dataclass(slots=True)
    class Slotted:
        x: int = 1

        @guard(returns=Any)
        def check(self):
            return self.x

    class Colour(enum.Enum):
        RED = 1

        @guard(returns=Any)
        def check(self):
            return self.value

    class Abstract(abc.ABC):
        @guard(returns=Any)
        @abc.abstractmethod
        def check(self):
            return 1

    @typing.runtime_checkable
    class Shape(Protocol):
        @guard(returns=Any)
        def check(self) -> int:
            return 1

    class Pair(NamedTuple):
        x: int = 1

        @guard(returns=Any)
        def check(self):
            return self.x


def test_classes_of_every_kind_work_as_before(told):
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
        Quiet.Abstract()
    with pytest.raises(TypeError, match="takes no keyword arguments"):
        type("Odd", (Base,), {}, tag=1)
    assert told == []
    kinds = [kind for name, kind in vars(Quiet).items() if name[0] != "_"]
    assert [kind for kind in kinds if "__coroguard__" in vars(kind)] == [Quiet.Pair] * (
        sys.version_info < (3, 13)
    )


def test_a_slotted_copy_is_looked_at(told):
    """A class that is made anew by its decorator still looks at its subclasses."""
    subclass("check", plain, base=Quiet.Slotted)
    assert len(told) == 1


# --- defined again


REDEFINED = {
    "class": """
class Router:
    @guard(returns=Any)
    def handlers(self): return {}
    async def handlers(self): return {}
""",
    "module": """
@guard(returns=Any)
def handlers(): return {}
async def handlers(): return {}
""",
    "guarded again in a class": """
class Router:
    @guard(returns=Any)
    def handlers(self): return {}
    @guard(returns=Any)
    async def handlers(self): return {}
""",
    "guarded the second time": """
def handlers(): return {}
@guard(returns=Any)
async def handlers(): return {}
""",
    "guarded again in a module": """
@guard(returns=Any)
async def handlers(): return {}
@guard(returns=Any)
def handlers(): return {}
""",
}


@pytest.mark.parametrize("source", REDEFINED.values(), ids=REDEFINED)
def test_a_guarded_name_that_is_defined_again_is_reported(told, run_module, source):
    """A later definition in the same place is reported when the body is done."""
    run_module(source)
    gc.collect()

    [(action, error)] = told
    text = str(error)
    assert action == "reported"
    assert "handlers" in text
    assert len(re.findall(r"rebound_module_\d+.py:", text)) == 2
    assert "give one of the two another name" in text


@pytest.mark.parametrize(
    "name", ["class", "guarded again in a class", "guarded again in a module"]
)
def test_strict_mode_raises_at_the_second_definition(told, run_module, name):
    """In strict mode the import ends there; up to 3.11 Python wraps the error."""
    with mode("strict"), pytest.raises((GuardUsageError, RuntimeError)) as raised:
        run_module(REDEFINED[name])
    error = raised.value
    assert isinstance(error, GuardUsageError) or (
        isinstance(error.__cause__, GuardUsageError) and sys.version_info < (3, 12)
    )


def test_in_a_module_strict_mode_only_reports(told, run_module):
    """A module is looked at when it has run, where raising would reach nobody."""
    with mode("strict"):
        run_module(REDEFINED["module"])
        gc.collect()
    assert [action for action, _ in told] == ["reported"]


def test_a_star_import_over_a_guard_is_reported(told, run_module):
    """A namesake of another module that takes the name over is reported."""
    other = run_module("async def handlers(): return {}").__name__
    module = run_module(
        f"@guard(returns=Any)\ndef handlers(): ...\nfrom {other} import *"
    )
    gc.collect()
    [(_, error)] = told
    assert f"{module.__name__}.py:3: def handlers" in str(error)
    assert f"{other}.py:3: async def handlers" in str(error)


RIGHT = {
    "guarded twice alike": """
@guard(returns=Any)
def check(): return {}
@guard(returns=Any)
def check(): return {"again": True}
""",
    "assigned": """
class A:
    def other(self): return {}
    @guard(returns=Any)
    def check(self): return {}
    check = other
""",
    "guarded by a call": """
def check(): return {}
guarded = guard(returns=Any)(check)
class A:
    def check(self): return {}
    guarded = guard(returns=Any)(check)
""",
    "decorated on top": """
import functools
def logged(f):
    @functools.wraps(f)
    def call(*args): return f(*args)
    return call
@logged
@guard(returns=Any)
def check(): return {}
class A:
    @logged
    @guard(returns=Any)
    def check(self): return {}
""",
    "property": """
class A:
    @property
    @guard(returns=Any)
    def check(self): return {}
    @check.setter
    def check(self, value): pass
""",
    "async overload": """
from typing import overload
@overload
def check(x: int) -> int: ...
@overload
def check(x: str) -> str: ...
@guard(returns=Any)
async def check(x): return x
""",
    "overload": """
from typing import overload
@overload
def check(x: int) -> int: ...
@overload
def check(x: str) -> str: ...
@guard(returns=Any)
def check(x): return x
""",
    "branches": """
if True:
    @guard(returns=Any)
    def check(): return {}
else:
    @guard(returns=Any)
    async def check(): return {}
""",
    "taken away": """
@guard(returns=Any)
def check(): return {}
del check
""",
    "another value": """
@guard(returns=Any)
def check(): return {}
check = check()
""",
    "two functions of one factory": """
def make():
    @guard(returns=Any)
    def check(): return {}
    return check
def amake():
    @guard(returns=Any)
    async def check(): return {}
    return check
check, check = make(), amake()
""",
}


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_a_right_module_is_left_alone(told, run_module, source):
    """Nothing is said of definitions that keep their guard."""
    with mode("strict"):
        module = run_module(source)
        gc.collect()
    assert told == []
    assert not hasattr(getattr(module, "A", None), "__coroguard__")


def test_a_module_that_is_loaded_again_is_left_alone(told, run_module):
    """A reload puts the guards on anew, and is no second definition."""
    module = run_module("@guard(returns=Any)\ndef check(): return {}\n")
    importlib.reload(module)
    assert told == []
    assert is_guarded(module.check)


# --- what a guard is known by


def test_guards_are_known_by_their_wrappers():
    """Guards of every kind are known, with what they were told; others are not."""
    bare = [plain, flip, Base, len, None, 5]
    assert [it for it in bare if is_guarded(it) or terms_of(it)] == []
    for made in (
        guard(returns=Any)(plain),
        guard(returns=Any)(flip),
        guard(returns=Any, dropped=False)(plain),
        guard(returns=Any)(len),
        vars(Base)["port"],
    ):
        assert is_guarded(made)
        assert terms_of(made).contract.is_open


def test_a_copy_of_attributes_is_no_guard():
    """functools.wraps around a guard makes no guard, but reaches one."""
    import functools

    @functools.wraps(Base.check)
    def call(self):
        return Base.check(self)

    assert not is_guarded(call)
    assert reaches_guard(call)
    assert reaches_guard(functools.partial(call, None))
    del call.__wrapped__
    assert not reaches_guard(call)
