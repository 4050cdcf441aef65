"""Overrides of another colour than their base."""

from __future__ import annotations

import pytest

from coroguard.bindings.findings import FindingKind

BASES = """
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

class Response(dict): pass
class Odd:
    def __new__(cls): return cls.value

class Base:
    def check(self): return {"healthy": True}
    async def acheck(self): return {}
    async def stream(self): raise NotImplementedError("left to subclasses")
    def annotated(self) -> bool: return self.other()
    def other(self): return self.value
    def stub(self): raise NotImplementedError
    def abstract_annotated(self) -> bool: raise NotImplementedError
    def facade(self) -> Awaitable[bool]: return self.value
    def either(self) -> bool | Awaitable[bool]: return True
    @staticmethod
    def static() -> int: return 1
    @classmethod
    def made(cls) -> int: return 1
    @property
    def size(self) -> int: return 1
    def response(self): return Response(items=[])
    def made_oddly(self): return Odd()
    def one(self) -> int: return 1
    def two(self) -> int: return 1
    def three(self) -> int: return 1
    def __call__(self) -> int: return 1
    def _refuse(self) -> None: raise ValueError
    refused = _refuse

class Interface(ABC):
    @abstractmethod
    def check(self) -> bool: ...
    @abstractmethod
    async def acheck(self): ...

class Shape(Protocol):
    def check(self) -> bool: ...
    async def rows(self) -> None: ...
"""
ODD = {
    "over one that makes an object": ("Base", "async def response(self): return {}"),
    "async over sync": ("Base", "async def check(self): return {}"),
    "sync over async": ("Base", "def acheck(self): return {}"),
    "over an annotated one": ("Base", "async def annotated(self): return True"),
    "over an annotated stub": (
        "Base",
        "async def abstract_annotated(self): return True",
    ),
    "static": ("Base", "@staticmethod\n    async def static(): return 1"),
    "class method": ("Base", "@classmethod\n    async def made(cls): return 1"),
    "call": ("Base", "async def __call__(self): return 1"),
    "async generator": ("Base", "async def acheck(self): yield 1"),
    "abstract": ("Interface", "async def check(self): return True"),
    "abstract async": ("Interface", "def acheck(self): return 1"),
    "protocol": ("Shape", "async def check(self): return True"),
    "protocol async": ("Shape", "def rows(self) -> None: return None"),
    "one of several": (
        "Base",
        "async def check(self): return {}\n    def one(self): return 1\n"
        "    def two(self): return 2",
    ),
    "outside of the package": (
        "logging.Filter",
        "async def filter(self, record): return True",
    ),
    "in an inner class": (
        "Base",
        "class Inner(Base):\n        async def one(self): pass",
    ),
}


@pytest.mark.parametrize("form", ODD)
def test_an_override_of_another_colour_is_found(audit_of, form):
    """A method that its base's callers cannot use is found."""
    base, body = ODD[form]
    text = f"import logging\nfrom .bases import *\nclass Child({base}):\n    {body}\n"
    audited = audit_of(bases=BASES, child=text)
    assert audited.failed == ()
    (found,) = audited.findings
    assert found.kind is FindingKind.OVERRIDE


EVEN = {
    "a class that may make anything": "class Child(Base):\n"
    "    async def made_oddly(self): return 1\n",
    "the same colour": "class Child(Base):\n    def check(self): return {}\n"
    "    async def acheck(self): return {}\n",
    "a stub that says nothing": "class Child(Base):\n"
    "    async def stub(self): return 1\n",
    "a sync method that may give anything": "class Child(Base):\n"
    "    async def other(self): return 1\n",
    "a facade": "class Child(Base):\n    async def facade(self): return True\n",
    "annotated as either": "class Child(Base):\n"
    "    async def either(self): return True\n",
    "a facade over async": "class Child(Base):\n"
    "    def acheck(self): return self.value\n",
    "a property": "class Child(Base):\n    async def size(self): return 1\n",
    "a name of its own": "class Child(Base):\n    async def acheck_all(self): pass\n",
    "private by name": "class Child(Base):\n    async def __check(self): pass\n",
    "one that only refuses": "class Child(Base):\n"
    "    async def refused(self): return 1\n",
    "a stream that the base leaves to subclasses": "class Child(Base):\n"
    "    async def stream(self):\n        yield 1\n",
    "an async twin by its name": "class AsyncBase(Base):\n"
    "    async def check(self): return {}\n",
    "an async twin by its owner's name": "class AsyncSearch:\n    class Batch(Base):\n"
    "        async def check(self): return {}\n",
    "a twin that changes most": "class Child(Base):\n    async def one(self): pass\n"
    "    async def two(self): pass\n    async def three(self): pass\n"
    "    def check(self): return {}\n",
    "meant": "class Child(Base):\n"
    "    async def check(self): return {}  # coroguard: ok, only used by tasks\n",
}


@pytest.mark.parametrize("form", EVEN)
def test_an_override_that_is_meant_is_not_reported(audit_of, form):
    """Twins on purpose, facades and bases without annotations are fine."""
    audited = audit_of(bases=BASES, child="from .bases import *\n" + EVEN[form])
    assert (audited.findings, audited.failed) == ((), ())


def test_a_module_that_is_named_async_holds_twins(audit_of):
    """The module's name counts as the class's does."""
    text = "from .bases import *\nclass Child(Base):\n    async def one(self): pass\n"
    assert audit_of(bases=BASES, asyncio___child=text).findings == ()


def test_an_async_class_is_no_twin_of_another_async_class(audit_of):
    """If both are named async, one override of another colour is a finding."""
    text = (
        "class AsyncBase:\n    def check(self) -> int: return 1\n"
        "class AsyncChild(AsyncBase):\n    async def check(self): return 1\n"
    )
    assert len(audit_of(child=text).findings) == 1


def test_no_property_and_no_metaclass_code_runs(audit_of):
    """Looking through classes runs nothing of them."""
    text = """
class Meta(type):
    def __getattribute__(cls, name): raise SystemExit(name)
    def __hash__(cls): raise SystemExit("hash")
    def __eq__(cls, other): raise SystemExit("eq")
    def __instancecheck__(cls, other): raise SystemExit("isinstance")
class Lazy:
    def __getattribute__(self, name): raise SystemExit(name)
    def __eq__(self, other): raise SystemExit("eq")
    def __bool__(self): raise SystemExit("bool")
    __hash__ = None
class Odd(metaclass=Meta):
    lazy = Lazy()
    def check(self): return 1
lazy = Lazy()
def handle():
    lazy.check().get(1)
    Odd.check(1).get(1)
    made = Odd()
    return made.check(1).get(lazy())
def __getattr__(name):
    if name == "missing": raise SystemExit(name)
    raise AttributeError(name)
"""
    audited = audit_of(
        odd=text,
        user="from .odd import *\nfrom . import odd\n"
        "def handle(): return odd.missing().get(lazy.a())\n",
    )
    assert (audited.findings, audited.failed) == ((), ())


def test_the_finding_names_both_methods(audit_of):
    """The text names both methods and their colours."""
    text = "from .bases import *\nclass Child(Base):\n    async def one(self): pass\n"
    (found,) = audit_of(bases=BASES, child=text).findings
    assert found.name == "audited_app.child:Child.one"
    assert found.headline == "Child.one is async and overrides Base.one, which is sync"
    assert found.first.endswith("def Base.one")
    assert found.second.endswith("async def Child.one")
    assert found.advice == "make Child.one sync as well, or give it a name of its own"


def test_a_class_that_changes_some_is_no_twin(audit_of):
    """Three changed methods of seven are three findings."""
    same = "".join(
        f"    def {name}(self): return 1\n"
        for name in ("check", "annotated", "stub", "other")
    )
    changed = "".join(
        f"    async def {name}(self): return 1\n" for name in ("one", "two", "three")
    )
    text = f"from .bases import *\nclass Child(Base):\n{same}{changed}"
    assert len(audit_of(bases=BASES, child=text).findings) == 3
