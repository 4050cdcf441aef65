"""The audit of packages that it can, and cannot, read."""

from __future__ import annotations

import pickle

import pytest

from coroguard import GuardUsageError
from coroguard.bindings.audit import audit

CLASH = "def check(): return 1\nasync def check(): return 1\n"


def test_a_package_without_collisions_is_silent(audit_of):
    """No finding, no failure, and how many modules were read."""
    audited = audit_of(one="def check(): return 1\n", two="from .one import check\n")
    assert (audited.package, audited.findings, audited.failed, audited.modules) == (
        *("audited_app", (), ()),
        3,
    )


def test_modules_that_fail_to_import_are_named(audit_of):
    """Each is reported with the reason, and the others are audited."""
    audited = audit_of(
        bad="import no_such_module\n", ends="raise SystemExit(3)\n", health=CLASH
    )
    assert dict(audited.failed) == {
        "audited_app.bad": "ModuleNotFoundError: No module named 'no_such_module'",
        "audited_app.ends": "SystemExit: 3",
    }
    assert len(audited.findings) == 1


def test_an_unknown_package_is_refused():
    """A package that is not there is a mistake of usage."""
    with pytest.raises(GuardUsageError, match="there is no package 'no_such_package'"):
        audit("no_such_package")


def test_a_module_without_source_is_read_at_run_time_only(write, tmp_path):
    """Overrides are found where there is nothing but compiled code."""
    import py_compile

    write(
        health="class Base:\n    def check(self) -> int: return 1\n"
        "class Child(Base):\n    async def check(self): return 1\n"
    )
    file = tmp_path / "audited_app" / "health.py"
    py_compile.compile(str(file), cfile=str(file.with_suffix(".pyc")))
    file.unlink()
    assert [found.kind for found in audit("audited_app").findings] == ["override"]


def test_an_audit_holds_strings_only(audit_of):
    """It can be sent to another process."""
    audited = audit_of(health=CLASH)
    assert pickle.loads(pickle.dumps(audited)) == audited


def test_nothing_of_the_package_is_called(audit_of):
    """The audit reads functions and calls none."""
    text = """
CALLED = []
def check(): CALLED.append(1)
class Health:
    def __init__(self): CALLED.append(1)
    def __init_subclass__(cls): pass
    def check(self): CALLED.append(1)
    @property
    def size(self): CALLED.append(1)
    def __getattr__(self, name): CALLED.append(1)
def handle():
    made = Health()
    check().a
    return made.size.x().y, made.check().z
health = object.__new__(Health)
health_used = lambda: (health.missing().x, health.size(), health.check().z)
"""
    audited = audit_of(health=text)
    import sys

    assert (audited.findings, sys.modules["audited_app.health"].CALLED) == ((), [])


def test_a_module_that_is_an_object_is_left_alone(audit_of):
    """An entry of ``sys.modules`` may be any object."""
    lazy = """
import sys
class Lazy:
    __slots__ = ()
    def __getattribute__(self, name):
        raise AttributeError(name) if name.startswith("__") else SystemExit(name)
sys.modules[__name__] = Lazy()
"""
    audited = audit_of(lazy=lazy, health=CLASH)
    assert ([it.name for it in audited.findings], audited.failed) == (
        ["audited_app.health:check"],
        (),
    )


def test_a_module_that_answers_for_itself_is_not_asked(audit_of):
    """Whether a module is a package is not asked of its ``__getattr__``."""
    text = "def __getattr__(name):\n    raise SystemExit(name)\n"
    audited = audit_of(odd=text, zoo=CLASH)
    assert (len(audited.findings), audited.failed) == (1, ())
