"""Redefinitions and overrides that replace a guard, as `verify()` finds them."""

from __future__ import annotations

import gc
import importlib
import itertools
import re
import sys

import pytest

from coroguard import mode, protect, unprotect
from coroguard._guard.names import DEFINITIONS, remember
from coroguard._inspect.callables import is_guarded
from coroguard.bindings import verify

NUMBERS = itertools.count()


@pytest.fixture
def run_module(tmp_path, monkeypatch):
    """Import source as a module of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    before = dict(DEFINITIONS)
    names = []

    def run(source, name=""):
        name = name or f"rebound_module_{next(NUMBERS)}"
        names.append(name)
        (tmp_path / f"{name}.py").write_text(
            f"from typing import Any\nfrom coroguard import guard\n{source}"
        )
        return importlib.import_module(name)

    yield run
    unprotect()
    for name in names:
        sys.modules.pop(name, None)
    DEFINITIONS.clear()
    DEFINITIONS.update(before)


def texts():
    return [str(finding) for finding in verify()]


# --- overrides

BASE = """
class Base:
    @guard(returns=Any)
    def check(self): return {}
    @guard(returns=Any)
    async def acheck(self): return {}
    @staticmethod
    @guard(returns=Any)
    def port(): return 6379
"""
OVERRIDES = {
    "bare": ("def check(self): return 1", "Sub.check overrides the guarded Base.check"),
    "bare flip": ("async def check(self): return 1", "make it sync like Base.check"),
    "bare flip back": ("def acheck(self): return 1", "make it async like Base.acheck"),
    "flip": (
        "@guard(returns=Any)\n    async def check(self): return 1",
        "Sub.check overrides Base.check in another colour",
    ),
    "static": (
        "@staticmethod\n    def port(): return 1",
        "overrides the guarded Base.port",
    ),
}


@pytest.mark.parametrize(("method", "words"), OVERRIDES.values(), ids=OVERRIDES)
def test_an_override_without_the_guard_is_found(reported, run_module, method, words):
    """An override that lost the guard or the colour is named with both places."""
    with mode("strict"):
        run_module(f"{BASE}\nclass Sub(Base):\n    {method}\n")
        assert reported == []
    [text] = texts()
    assert words in text
    assert len(re.findall(r"rebound_module_\d+.py:", text)) == 2


RIGHT_OVERRIDES = {
    "guarded": "@guard(returns=Any)\n    def check(self): return 1",
    "another value": "check = None",
    "a facade of the same colour": (
        "@guard(returns=Any)\n    async def acheck(self) -> Any: return 1"
    ),
    "of nothing guarded": "def other(self): return 1",
}


@pytest.mark.parametrize("method", RIGHT_OVERRIDES.values(), ids=RIGHT_OVERRIDES)
def test_a_right_override_is_left_alone(run_module, method):
    """Nothing is found where the guard is there, or nothing callable overrides."""
    run_module(f"{BASE}\nclass Sub(Base):\n    {method}\n")
    assert texts() == []


def test_a_mixin_before_the_guard_is_found(run_module):
    """A method that only comes first in the order of the bases overrides, too."""
    run_module(f"""{BASE}
class Mixin:
    def check(self): return 1
class Sub(Mixin, Base): pass
""")
    [text] = texts()
    assert "Mixin.check overrides the guarded Base.check" in text


def test_grandchildren_are_looked_at(run_module):
    """The guard is missed in a class that is further down, once."""
    run_module(f"""{BASE}
class Middle(Base): pass
class Sub(Middle):
    def check(self): return 1
class Last(Sub): pass
""")
    [text] = texts()
    assert "Sub.check overrides" in text


def test_a_double_in_a_test_is_left_alone(run_module):
    """A fake that a test makes of a guarded class has no guard, rightly."""
    base = run_module(BASE)

    class Local(base.Base):
        def check(self):
            return 1

    run_module(
        f"from {base.__name__} import Base\n"
        "class Fake(Base):\n    def check(self): return 1\n",
        "test_of_rebound_modules",
    )
    assert texts() == []


def test_an_override_of_a_protected_method_is_found(run_module):
    """A plain path asks for the overrides of its method, a pattern does not."""
    module = run_module(
        "class Base:\n    def check(self): return 1\n"
        "class Sub(Base):\n    def check(self): return 2\n"
    )
    protect(f"{module.__name__}:Bas*.check")
    assert texts() == []
    unprotect()
    protect(f"{module.__name__}:Base.check")
    [text] = texts()
    assert "Sub.check overrides the guarded Base.check" in text


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
    "guarded again in a module": """
@guard(returns=Any)
async def handlers(): return {}
@guard(returns=Any)
def handlers(): return {}
""",
}


@pytest.mark.parametrize("source", REDEFINED.values(), ids=REDEFINED)
def test_a_guarded_name_that_is_defined_again_is_found(reported, run_module, source):
    """A later definition in the same place is found, and nothing stops the import."""
    with mode("strict"):
        run_module(source)
        assert reported == []
    [text] = texts()
    assert "handlers is guarded, and then defined again" in text
    assert len(re.findall(r"rebound_module_\d+.py:", text)) == 2
    assert "rename or remove one of the two" in text


def test_a_star_import_over_a_guard_is_found(run_module):
    """A namesake of another module that takes the name is found."""
    other = run_module("async def handlers(): return {}").__name__
    module = run_module(
        f"@guard(returns=Any)\ndef handlers(): ...\nfrom {other} import *"
    )
    [text] = texts()
    assert f"{module.__name__}.py:3: def handlers" in text
    assert f"{other}.py:3: async def handlers" in text


RIGHT = {
    "guarded twice alike": """
@guard(returns=Any)
def check(): return {}
@guard(returns=Any)
def check(): return {"again": True}
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
    "throw-away names": """
import functools
class Checks:
    @functools.singledispatchmethod
    def check(self, value): return {}
    @check.register
    @guard(returns=Any)
    def _(self, value: int): return {}
    @check.register
    def _(self, value: str): return {}
""",
    "routes that share a name": """
ROUTES = []
@ROUTES.append
@guard(returns=Any)
def index(): return {}
kept = ROUTES[0]
def index(): return {"other": True}
""",
    "a loop variable": """
def first(): return {}
def second(): return {}
@guard(returns=Any)
def check(): return {}
for check in (first, second):
    check()
""",
    "a guard that is used once": """
def check(): return {}
guard(returns=Any)(check)()
""",
    "a context manager's variable": """
import contextlib
@contextlib.contextmanager
def opened():
    yield first
def first(): return {}
@guard(returns=Any)
def check(): return {}
with opened() as check:
    pass
""",
}


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_a_right_module_is_left_alone(reported, run_module, source):
    """Nothing is found among definitions that keep their guard."""
    with mode("strict"):
        module = run_module(source)
        gc.collect()
        assert texts() == []
    assert reported == []
    assert not hasattr(getattr(module, "A", None), "__coroguard__")


def test_a_module_that_is_loaded_again_is_left_alone(run_module):
    """A reload puts the guards on again, and is not a redefinition."""
    module = run_module("@guard(returns=Any)\ndef check(): return {}\n")
    importlib.reload(module)
    assert is_guarded(module.check)
    assert texts() == []


def test_definitions_of_modules_that_are_gone_are_forgotten(run_module):
    """A program that makes modules without end keeps no list of their names."""
    source = "def check(): ...\ndef guarded(): ...\nguarded.__wrapped__ = check\n"
    for number in range(3_000):
        names = {"__name__": f"gone_{number}"}
        exec(source, names)
        remember(names["guarded"])
    assert sum(module.startswith("gone_") for module, _ in DEFINITIONS) < 1_500
