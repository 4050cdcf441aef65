"""Runs that colliding names and lost guards fail."""

from __future__ import annotations

import pytest

CLEAN = {
    "app/__init__.py": "",
    "app/sync_checks.py": "def check() -> dict: return {}\n",
    "app/async_checks.py": "async def check() -> dict: return {}\n",
    "app/service.py": "from app.sync_checks import *\n",
}
COLLIDING = {
    **CLEAN,
    "app/service.py": "from app.sync_checks import *\nfrom app.async_checks import *\n",
}
PASSES = "def test_passes(): pass\n"


def outcomes(run):
    return {name: phases["call"].outcome for name, phases in run.phases.items()}


def reported(run, node):
    return run.output.partition(f" {node} ")[2].partition("\n_")[0]


def test_a_collision_fails_the_run(run_suite):
    """An audited package whose names collide is a failed test, with both places."""
    run = run_suite(PASSES, "--coroguard-audit", "app", files=COLLIDING)
    assert run.code == 1
    assert "1 failed, 1 passed" in run.output
    text = reported(run, "coroguard-audit[app]")
    assert "app/service.py:1" in text
    assert "app/service.py:2" in text
    assert "fix:" in text
    assert "Traceback" not in text


def test_a_clean_package_passes(run_suite):
    """A package that is clean is a test that passed."""
    run = run_suite(PASSES, "--coroguard-audit=app", files=CLEAN)
    assert run.code == 0
    assert "2 passed" in run.output


def test_packages_of_the_ini_file(run_suite):
    """The ini key names packages; each is audited once."""
    ini = "coroguard_audit = app app"
    run = run_suite(PASSES, ini=ini, files=COLLIDING)
    assert "1 failed, 1 passed" in run.output


@pytest.mark.parametrize(
    "files",
    [
        {"app/__init__.py": "", "app/broken.py": "import no_such_module\n"},
        {"other.py": ""},
    ],
    ids=["a module that cannot be imported", "no such package"],
)
def test_what_cannot_be_read_fails(run_suite, files):
    """An audit that could not read everything is not green."""
    run = run_suite(PASSES, "--coroguard-audit=app", files=files)
    assert run.code == 1
    text = reported(run, "coroguard-audit[app]")
    assert "no_such_module" in text or "there is no package 'app'" in text


def test_no_selection_takes_the_audit_away(run_suite):
    """What was asked for by name runs, whichever tests are selected."""
    run = run_suite(
        PASSES, "-knothing_like_it", "--coroguard-audit=app", files=COLLIDING
    )
    assert run.code == 1
    assert "1 failed, 1 deselected" in run.output


def test_the_audit_sees_the_package_as_deployed(run_suite):
    """Changes that the tests make to the package do not count in the audit."""
    code = """
    import sys

    def test_rebinds():
        import app.service, app.async_checks
        app.service.check = app.async_checks.check
        app.sync_checks.check = app.async_checks.check

    def test_is_not_audited_here():
        assert "app.unused" not in sys.modules
    """
    files = {**CLEAN, "app/unused.py": ""}
    run = run_suite(code, "--coroguard-audit=app", files=files)
    assert run.code == 0, run.output


def test_with_workers_it_runs_once(run_suite):
    """pytest-xdist runs the audit in one worker and reports it."""
    run = run_suite(
        PASSES, "-n2", "--coroguard-audit=app", plugins=("xdist",), files=COLLIDING
    )
    assert run.code == 1
    assert "1 failed, 1 passed" in run.output


# --- guards

GUARDED = {**CLEAN, "pyproject.toml": '[tool.coroguard]\nprotect = ["app.*:check*"]\n'}
LEAKS = """
import app.sync_checks
from coroguard import CoroutineLeakError

def test_is_guarded():
    app.sync_checks.fetch = fetch
    app.sync_checks.check.__wrapped__.__code__ = (lambda: fetch()).__code__
    with pytest.raises(CoroutineLeakError):
        app.sync_checks.check()
"""
LOSES = """
import app.sync_checks

def test_takes_the_guard_away():
    app.sync_checks.check = app.sync_checks.check.__wrapped__
"""


@pytest.mark.parametrize("mode", ["observe", "strict"])
def test_the_project_s_guards_are_put_on(run_suite, mode):
    """What pyproject.toml protects is guarded in the tests."""
    run = run_suite(LEAKS, f"--coroguard={mode}", files=GUARDED)
    assert run.code == 0, run.output
    assert "lost guards" not in run.output


def test_off_puts_no_guard(run_suite):
    """In mode off the plugin keeps out."""
    run = run_suite(LEAKS, "--coroguard=off", files=GUARDED)
    assert run.code == 1


@pytest.mark.parametrize(("mode", "code"), [("observe", 0), ("strict", 1)])
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_lost_guard_is_reported(run_suite, mode, code, workers):
    """A guard that the tests lost is listed once, and in strict fails the run."""
    plugins = ("xdist",) if workers else ()
    run = run_suite(
        LOSES, f"--coroguard={mode}", *workers, plugins=plugins, files=GUARDED
    )
    assert run.code == code, run.output
    section = run.section("lost guards")
    assert section.count("app.sync_checks:check was loaded again, and has lost") == 1
    assert run.output.count("has lost its guard") == 1


def test_a_module_that_no_test_needs_is_fine(run_suite):
    """A path that was not needed in this run fails nothing."""
    run = run_suite(PASSES, "--coroguard=strict", files=GUARDED)
    assert run.code == 0
    assert "lost guards" not in run.output


def test_a_wrong_entry_ends_the_run(run_suite):
    """A wrong entry is a usage error that shows the right one."""
    files = {"pyproject.toml": '[tool.coroguard]\nprotect = ["app.check"]\n'}
    run = run_suite(PASSES, files=files)
    assert run.code == 4
    assert "did you mean app:check?" in run.output
