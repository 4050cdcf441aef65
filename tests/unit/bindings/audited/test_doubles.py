"""Modules that exist twice, loaded or in another file."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import pytest

from coroguard.bindings.audit import audit
from coroguard.bindings.findings import FindingKind

SYNC = "def check(): return {'healthy': True}\n"
ASYNC = "async def check(): return {'healthy': True}\n"


def test_a_file_that_is_imported_under_two_names_is_found(
    audit_of, tmp_path, monkeypatch
):
    """A folder of the package on the path gives its modules a second name."""
    monkeypatch.syspath_prepend(tmp_path / "audited_app" / "core")
    (found,) = audit_of(
        core___registry="TABLE = {}\n",
        one="from .core import registry\n",
        two="import registry\n",
    ).findings
    assert found.kind is FindingKind.TWO_NAMES
    assert found.name == "audited_app.core.registry"
    assert "as audited_app.core.registry and as registry" in found.headline


def test_a_file_that_was_loaded_by_hand_under_another_name_is_found(
    write, tmp_path, monkeypatch
):
    """A loader that bypasses the import system makes the same collision."""
    write(registry="TABLE = {}\n")
    importlib.import_module("audited_app.registry")
    file = tmp_path / "audited_app" / "registry.py"
    spec = importlib.util.spec_from_file_location("registry_copy", file)
    copy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "registry_copy", copy)
    spec.loader.exec_module(copy)
    (found,) = audit("audited_app").findings
    assert "as audited_app.registry and as registry_copy" in found.headline


def test_the_program_itself_counts_if_it_is_a_module_of_the_package(
    write, tmp_path, monkeypatch
):
    """``python -m app.service`` loads the module once more, as ``__main__``."""
    write(service="TABLE = {}\n", user="from . import service\n")
    main = type(sys)("__main__")
    main.__file__ = str(tmp_path / "audited_app" / "service.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    (found,) = audit("audited_app").findings
    assert "as audited_app.service and as __main__" in found.headline


def test_a_program_outside_of_the_package_is_fine(write, tmp_path, monkeypatch):
    """The running program is nobody's second name."""
    write(service="TABLE = {}\n")
    main = type(sys)("__main__")
    main.__file__ = str(tmp_path / "run.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert audit("audited_app").findings == ()


def test_modules_of_others_are_their_own_affair(write, tmp_path, monkeypatch):
    """A file that others load twice does not belong to the package."""
    write(service="TABLE = {}\n")
    for name in ("foreign_one", "foreign_two"):
        module = type(sys)(name)
        module.__file__ = str(tmp_path / "foreign.py")
        monkeypatch.setitem(sys.modules, name, module)
    assert audit("audited_app").findings == ()


def test_an_alias_of_one_module_is_fine(audit_of, monkeypatch):
    """Two names of the same module object are one module."""
    monkeypatch.delitem(sys.modules, "audited_alias", raising=False)
    audited = audit_of(
        registry="import sys\nsys.modules['audited_alias'] = sys.modules[__name__]\n",
        user="import audited_alias\nfrom . import registry\n",
    )
    sys.modules.pop("audited_alias", None)
    assert audited.findings == ()


def test_a_second_name_that_only_the_audit_imports_is_fine(
    audit_of, tmp_path, monkeypatch
):
    """Plug-ins are loaded by one name; the audit's walk makes no collision."""
    monkeypatch.syspath_prepend(tmp_path / "audited_app" / "plugins")
    audited = audit_of(plugins___extra="TABLE = {}\n", user="import extra\n")
    assert (audited.findings, audited.failed) == ((), ())


def test_a_file_that_is_hidden_by_the_package_is_found(audit_of, tmp_path, monkeypatch):
    """Another file of the module's name, with another colour, is found."""
    other = tmp_path / "later"
    (other / "audited_app").mkdir(parents=True)
    (other / "audited_app" / "__init__.py").write_text(ASYNC)
    monkeypatch.setattr(sys, "path", [*sys.path, str(other)])
    (found,) = audit_of(__init__=SYNC).findings
    assert (found.kind, found.name) == (FindingKind.SHADOWED, "audited_app")
    assert "in which check is async; here it is sync" in found.headline


def test_a_module_of_a_hidden_copy_is_found(audit_of, tmp_path, monkeypatch):
    """Another copy of the package, further down on the path, is compared whole."""
    other = tmp_path / "later" / "audited_app" / "core"
    other.mkdir(parents=True)
    (other / "health.py").write_text(ASYNC)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "later")])
    (found,) = audit_of(core___health=SYNC).findings
    assert found.name == "audited_app.core.health"
    assert found.kind is FindingKind.SHADOWED


def test_a_module_beside_a_package_of_its_name_is_found(audit_of, tmp_path):
    """``health.py`` beside ``health/`` is never imported."""
    (found,) = audit_of(health=ASYNC, health_____init__=SYNC).findings
    assert (found.kind, found.name) == (FindingKind.SHADOWED, "audited_app.health")
    assert found.second.endswith("health.py:1, check, async")


def test_a_neighbour_that_the_package_imports_is_found(audit_of, tmp_path, monkeypatch):
    """A top-level module of others counts where the package imports it."""
    for folder, text in (("first", SYNC), ("second", ASYNC)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "neighbour_probes.py").write_text(text)
    paths = [str(tmp_path / "first"), str(tmp_path / "second")]
    monkeypatch.setattr(sys, "path", [*paths, *sys.path])
    (found,) = audit_of(user="from neighbour_probes import check\n").findings
    assert (found.kind, found.name) == (FindingKind.SHADOWED, "neighbour_probes")


FINE = {
    "of one colour": SYNC,
    "private": ASYNC.replace("check", "_check"),
    "not in both": ASYNC.replace("check", "acheck"),
    "a facade": "from collections.abc import Awaitable\n"
    "def check() -> Awaitable[dict]: return None\n",
    "of both colours, one by one": SYNC + ASYNC,
    "of both colours": f"if True:\n    {SYNC}else:\n    {ASYNC}",
    "no Python": "def (\n",
    "meant": ASYNC.replace("\n", "  # coroguard: ok, the next release\n"),
}


@pytest.mark.parametrize("form", FINE)
def test_a_hidden_file_without_another_colour_is_fine(
    audit_of, tmp_path, monkeypatch, form
):
    """Two installations of one package agree, and are nobody's collision."""
    other = tmp_path / "later"
    (other / "audited_app").mkdir(parents=True)
    (other / "audited_app" / "__init__.py").write_text(FINE[form])
    monkeypatch.setattr(sys, "path", [*sys.path, str(other)])
    private = SYNC.replace("check", "_check")
    assert audit_of(__init__=SYNC + private).findings == ()
