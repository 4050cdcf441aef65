"""The modes of the plugin, and who sets them."""

from __future__ import annotations

import sys
from importlib import metadata
from subprocess import run

import pytest

LEAKY = """
import warnings
from coroguard import CoroutineLeakError, guard, mode
from typing import Any

def test_leaks(caplog):
    fetch()
    assert caplog.records == []

def test_in_setup(leaky_fixture):
    pass

@pytest.fixture
def leaky_fixture():
    fetch()

def test_fails():
    fetch().get("x")

def test_after_a_failure():
    gc.collect()

@pytest.mark.allow_leaks("fetch")
def test_without_reason():
    pass

def test_guard_keeps_its_mode():
    from coroguard._runtime.modes import current
    assert current() == "enforce"

def test_handled():
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(lambda: {"a": fetch()})()
"""


@pytest.fixture(scope="module")
def observed(run_suite):
    """A leaky suite's run without any setting."""
    return run_suite(LEAKY, "-Wignore")


def test_observe_is_the_default(observed):
    """Without a chosen mode it is observe, as the header shows."""
    assert "coroguard: mode=observe (default)\n" in observed.output


def test_observe_fails_no_test(observed):
    """In observe mode no test fails but what fails by itself."""
    outcomes = {name: observed.outcome(name) for name in observed.phases}
    failed = {name for name, outcome in outcomes.items() if outcome != "passed"}
    assert failed == {"test_fails"}


def test_observe_reports_in_the_summary(observed):
    """In observe mode leaks are listed at the end, each with its test."""
    assert observed.section("leaks").splitlines() == [
        "test_it.py::test_leaks: coroutine 'fetch' (async def, test_it.py:6); await "
        "fetch(...) where it is called, and make test_leaks async, or call a "
        "synchronous twin",
        "test_it.py::test_in_setup (setup): coroutine 'fetch' (async def, "
        "test_it.py:6); await fetch(...) where it is called",
    ]


def test_observe_explains_failures(observed):
    """In observe mode too a failure that a coroutine caused is explained."""
    assert "used a coroutine as a value" in (
        observed.phases["test_fails"]["call"].section
    )


def test_workers_report_too(run_suite):
    """Leaks of workers are in the summary of the process that reports."""
    run = run_suite(LEAKY, "-Wignore", "-n2", plugins=("xdist",))
    assert run.section("leaks").count("coroutine 'fetch'") == 2


def test_off_does_nothing(run_suite):
    """In mode off the plugin watches nothing and its fixtures still work."""
    run = run_suite(
        """
        def test_leaks(coroguard_leaks, health_report):
            fetch()
            assert coroguard_leaks == []
            assert health_report()["healthy"]

        @pytest.mark.allow_leaks("fetch")
        @pytest.mark.gate("health", blocks_deployment=False)
        def test_markers():
            pass
        """,
        "-Wignore",
        "--coroguard=off",
        "--strict-markers",
    )
    assert run.code == 0
    assert " coroguard: leaks " not in run.output
    assert "coroguard: mode=off (--coroguard)\n" in run.output


def test_the_ini_file_sets_it(run_suite):
    """``coroguard_mode`` sets the mode; the command line goes before it."""
    ini = "coroguard_mode = strict"
    by_file = run_suite(LEAKY, ini=ini)
    by_line = run_suite(LEAKY, "--coroguard=off", ini=ini)
    assert by_file.outcome("test_leaks") == "call failed"
    assert "coroguard: mode=strict (coroguard_mode)\n" in by_file.output
    assert by_line.outcome("test_leaks") == "passed"


@pytest.mark.parametrize(
    ("args", "ini", "words"),
    [
        (
            ("--coroguard=stric",),
            "",
            "ERROR: --coroguard=stric is not a mode of the plugin; use one of: "
            "off, observe, strict. Did you mean 'strict'?",
        ),
        ((), "coroguard_mode = obsrve", "ERROR: coroguard_mode=obsrve is not a mode"),
    ],
    ids=["option", "ini"],
)
def test_an_unknown_mode_is_refused(run_suite, args, ini, words):
    """An unknown mode is a usage error that names the nearest right one."""
    run = run_suite(LEAKY, *args, ini=ini)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert words in run.output
    assert run.phases == {}


def test_the_entry_point_leads_to_the_plugin():
    """Pytest finds the plugin by the package's entry point."""
    (entry,) = metadata.entry_points(group="pytest11", name="coroguard")
    assert entry.value == "coroguard.pytest_plugin"


def test_the_plugin_loads_nothing_heavy():
    """The plugin's module imports nothing heavy that pytest has not imported."""
    code = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import coroguard.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "hypothesis", "pydantic", "typeguard", "wrapt", "unittest"}
    added = {name.partition(".")[0] for name in done.stdout.split()}
    assert added & heavy == set()
    assert not any(name.startswith("coroguard.testing") for name in done.stdout.split())


def test_an_interpreter_that_frees_coroutines_late(run_suite):
    """Where no test can answer for its drops none is blamed, as the header states."""
    suite = """
    def test_drop():
        fetch()

    def test_mode():
        import coroguard
        assert coroguard.status().mode == "strict"
    """
    late = "import gc, sys\ndel gc.callbacks, gc.is_finalized, sys.getrefcount"
    args = ("-plate", "-Wignore", "--coroguard=strict")
    run = run_suite(suite, *args, files={"late.py": late})
    assert run.code == pytest.ExitCode.OK, run.output
    assert "tests are not watched, as cpython frees coroutines late" in run.output
