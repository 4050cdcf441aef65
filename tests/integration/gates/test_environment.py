"""Nothing outside the project decides what a gate's run does."""

from __future__ import annotations

import py_compile

import pytest

HEAD = "import os, pytest\npytestmark = pytest.mark.gate('chat')\n"
FAILS = HEAD + "def test_chat():\n    assert False\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTHONOPTIMIZE", "2"),
        ("PYTEST_ADDOPTS", "--collect-only"),
        ("PYTEST_ADDOPTS", "-p patience"),
        ("PYTEST_PLUGINS", "patience"),
        ("PYTHONSTARTUP", "patience.py"),
    ],
)
def test_a_variable_cannot_make_a_gate_green(project, name, value):
    """A failing test stays red whatever the shell exported."""
    project.write(
        "patience.py",
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(item):
            try:
                return (yield)
            except Exception:
                return None
        """,
    )
    project.write("tests/test_chat.py", FAILS)
    project.environment |= {name: value, "PYTHONPATH": str(project.root)}
    assert project.gate().verdicts == {"chat": "FAILED"}


def test_the_project_cannot_replace_pytest(project):
    """A file of the project that is named like a library does not become it."""
    for name in ("pytest", "pluggy", "json", "coroguard"):
        project.write(f"{name}.py", "import os\nos._exit(0)\n")
    # The console script has no current folder on its path; `python -m` has.
    project.environment["PYTHONSAFEPATH"] = "1"
    assert project.gate().verdicts == {"chat": "PASSED"}


def test_modules_of_the_project_are_found(project):
    """A test imports modules beside `pyproject.toml`, as with `python -m pytest`."""
    project.write("shop.py", "PRICE = 3\n")
    project.write("tests/test_chat.py", HEAD + "import shop\ndef test_chat(): pass\n")
    assert project.gate().verdicts == {"chat": "PASSED"}


def test_bytecode_that_was_left_is_not_run(project):
    """Bytecode in the project that does not fit its source proves nothing."""
    source = project.write("shop.py", "PRICE = 3\n")
    py_compile.compile(
        str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    project.write("shop.py", "PRICE = 4\n")
    body = "import shop\ndef test_chat(): assert shop.PRICE == 3\n"
    project.write("tests/test_chat.py", HEAD + body)
    assert project.gate().verdicts == {"chat": "FAILED"}


def test_a_project_whose_warnings_are_errors(project):
    """What the gate adds to a run of pytest causes no warning."""
    project.write(
        "pytest.ini",
        "[pytest]\nfilterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function",
    )
    del project.environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
    assert project.gate().verdicts == {"chat": "PASSED"}


def test_a_coverage_threshold_is_the_whole_suites(project):
    """A threshold that only the whole suite can reach makes no gate red."""
    pytest.importorskip("pytest_cov")
    project.write(
        "pytest.ini", "[pytest]\naddopts = -p pytest_cov --cov=. --cov-fail-under=100"
    )
    project.write("other.py", "PRICE = 3\n")
    assert project.gate().verdicts == {"chat": "PASSED"}
