"""The known calls of a module, and the uses of their results."""

from __future__ import annotations

import ast
import sys
import types

import pytest

from coroguard.bindings.audit.calls import Use, Waits, calls_of, tree_of
from coroguard.bindings.audit.resolution import Lookups
from coroguard.bindings.audit.scopes import read

HELPERS = """
import json
from json import dumps
async def check(): return 1
def make():
    def inner(): return check()
    return inner
class Manager:
    async def check(self): return check()
    @classmethod
    def load(cls): return cls()
def handle(given):
    def check_all():
        check()
    given()
    json.dumps(1)
    return [Manager().check() for _ in given]
"""


def module_of(text: str) -> tuple[types.ModuleType, ast.Module]:
    module = types.ModuleType("called_module")
    module.__file__ = "called_module.py"
    exec(compile(text, "called_module.py", "exec"), vars(module))
    return module, ast.parse(text)


def calls_in(module: types.ModuleType, tree: ast.Module):
    source = read(tree)
    return calls_of(module, source, Lookups(module, source))


def test_every_call_that_leads_somewhere_is_listed():
    """Each call has its target, its text, its line and the function around it."""
    module, tree = module_of(HELPERS)
    check, manager = module.check, module.Manager
    actual = {
        (it.written, it.within): (it.target, it.line) for it in calls_in(module, tree)
    }
    import json

    assert actual == {
        ("check", "make.<locals>.inner"): (check, 6),
        ("check", "Manager.check"): (check, 9),
        ("check", "handle.<locals>.check_all"): (check, 14),
        ("json.dumps", "handle"): (json.dumps, 16),
        ("Manager().check", "handle"): (manager.check, 17),
        ("Manager", "handle"): (manager, 17),
    }


USES = {
    "await check()": (Use.AWAITED, Waits.AWAIT),
    "async for _ in check(): pass": (Use.AWAITED, Waits.FOR),
    "async with check(): pass": (Use.AWAITED, Waits.WITH),
    "check()": (Use.DROPPED, Waits.NOT),
    "check().a": (Use.VALUE, Waits.NOT),
    "found = check(); found.a": (Use.VALUE, Waits.NOT),
    "found = check(); await found": (Use.AWAITED, Waits.AWAIT),
    "found = check(); found = found or 1; found.a": (Use.VALUE, Waits.NOT),
    "found = other = check(); found.a": (Use.UNKNOWN, Waits.NOT),
    "found: int = check(); found.a": (Use.VALUE, Waits.NOT),
    "found = check()": (Use.UNKNOWN, Waits.NOT),
    "given(check())": (Use.UNKNOWN, Waits.NOT),
    "given[check()]": (Use.UNKNOWN, Waits.NOT),
    "print(given, check())": (Use.UNKNOWN, Waits.NOT),
    "given.a = check()": (Use.UNKNOWN, Waits.NOT),
    "yield check()": (Use.UNKNOWN, Waits.NOT),
    "return check()": (Use.UNKNOWN, Waits.NOT),
    "raise check()": (Use.UNKNOWN, Waits.NOT),
    "given or check()": (Use.DROPPED, Waits.NOT),
}


@pytest.mark.parametrize("statement", USES)
def test_the_use_of_a_call_is_known(statement):
    """A use is one of four, and unknown wherever it is not certain."""
    text = f"async def check(): return 1\nasync def handle(given):\n    {statement}\n"
    module, tree = module_of(text)
    calls = [it for it in calls_in(module, tree) if it.written == "check"]
    assert [(it.use, it.waits) for it in calls] == [USES[statement]]


def test_a_builtin_that_the_module_replaced_reads_nothing():
    """``len`` means Python's own only where nobody took the name."""
    text = "len = print\ndef check(): return 1\ndef handle(): return len(check())\n"
    calls = calls_in(*module_of(text))
    assert [it.use for it in calls if it.written == "check"] == [Use.UNKNOWN]


def test_deep_source_is_read():
    """A sum of a thousand terms does not end the audit."""
    text = (
        f"def check(): return 1\ndef handle(): return {'+'.join(['check()'] * 900)}\n"
    )
    assert len(calls_in(*module_of(text))) == 900


def test_a_module_without_source_has_no_tree():
    """What is built in, compiled or no Python cannot be read."""
    assert [tree_of(sys), tree_of(types.ModuleType("made"))] == [None, None]


def test_a_long_chain_is_not_followed():
    """A call behind six hundred others leads nowhere, and ends nothing."""
    text = f"def check(): return 1\ndef handle(): return check(){'.a()' * 600}\n"
    assert [it.written for it in calls_in(*module_of(text))] == ["check"]
