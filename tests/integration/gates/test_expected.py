"""Tests that a gate expects and that were not collected: the gate is incomplete."""

from __future__ import annotations

import pytest

from coroguard.gates.readiness import ExitCode

LISTED = '[tool.coroguard.gates.chat]\ntests = ["tests"]\n'
MISSED = {
    "it skips itself": (
        {
            "tests/test_a.py": "import pytest\npytest.importorskip('nothing_there')\n"
            "def test_a(): pass\n"
        },
        "tests/test_a.py (skipped as a whole",
    ),
    "its package skips itself": (
        {
            "tests/a/__init__.py": "import pytest\n"
            "pytest.skip('no', allow_module_level=True)\n",
            "tests/a/test_a.py": "def test_a(): pass\n",
        },
        "tests/a",
    ),
    "conftest ignores it": (
        {
            "tests/conftest.py": "collect_ignore = ['test_a.py']\n",
            "tests/test_a.py": "def test_a(): pass\n",
        },
        "tests/test_a.py::test_a (line 1)",
    ),
    "an option ignores it": (
        {
            "pytest.ini": "[pytest]\naddopts = --ignore=tests/test_a.py\n",
            "tests/test_a.py": "def test_a(): pass\n",
        },
        "tests/test_a.py::test_a (line 1)",
    ),
    "another replaces it": (
        {"tests/test_a.py": "def test_a(): assert 0\n\n\ndef test_a(): pass\n"},
        "tests/test_a.py::test_a (line 1: line 4 replaces it)",
    ),
    "an assignment replaces it": (
        {"tests/test_a.py": "def test_a(): assert 0\n\n\ntest_a = lambda: None\n"},
        "tests/test_a.py::test_a (line 1: something replaces it)",
    ),
    "its class has an __init__": (
        {
            "tests/test_a.py": "class TestA:\n    def __init__(self): pass\n"
            "    def test_b(self): pass\n"
        },
        "tests/test_a.py::TestA::test_b (line 3: its class has an __init__)",
    ),
    "__test__ is False": (
        {"tests/test_a.py": "def test_a(): pass\n\n\ntest_a.__test__ = False\n"},
        "tests/test_a.py::test_a (line 1)",
    ),
}


@pytest.mark.parametrize("way", MISSED)
def test_a_test_that_is_not_collected_is_missed(project, way):
    """A test of a listed folder that pytest does not collect leaves it incomplete."""
    files, reason = MISSED[way]
    project.write("pyproject.toml", LISTED)
    for name, text in files.items():
        project.write(name, text)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "INCOMPLETE"})
    assert reason in ran.reasons


def test_what_only_looks_like_a_test_is_not_missed(project):
    """Fixtures, helpers, bases whose tests are inherited, and data are not tests."""
    project.write("pyproject.toml", LISTED)
    project.write(
        "tests/test_a.py",
        """
        import sys, unittest
        import pytest

        @pytest.fixture
        def test_client(): return 1

        if sys.platform == "no such platform":
            def test_there(): pass

        class Base(unittest.TestCase):
            def test_it(self): pass

        class Real(Base):
            pass

        del Base

        class TestServer:
            def __init__(self): pass

        def several(function):
            namespace = sys._getframe(1).f_globals
            for number in (1, 2):
                namespace[f"{function.__name__}_{number}"] = lambda: None

        @several
        def test_many(): pass
        """,
    )
    project.write("tests/build/test_b.py", "def test_b(): assert 0\n")
    ran = project.gate()
    assert ran.verdicts == {"chat": "PASSED"}, ran.out


def test_pinned_tests_are_expected(project):
    """A test that was pinned and is renamed is missed, and the new name is shown."""
    project.gate("--pin")
    assert project.gate().verdicts == {"chat": "PASSED"}
    file = project.root / "tests/test_chat.py"
    file.write_text(file.read_text().replace("def test_chat()", "def test_chats()"))
    ran = project.gate()
    assert ran.verdicts == {"chat": "INCOMPLETE"}
    assert "tests/test_chat.py::test_chat (pinned in" in ran.reasons
    assert "did you mean 'tests/test_chat.py::test_chats'" in ran.reasons


def test_a_gate_that_is_not_pinned(project):
    """Where a list is committed, a gate that it does not name is incomplete."""
    project.write("coroguard-gates.lock", "")
    ran = project.gate()
    assert ran.verdicts == {"chat": "INCOMPLETE"}
    assert "run coroguard gate --pin" in ran.reasons


def test_a_path_that_does_not_exist(project):
    """A path of the configuration that does not exist is a mistake of it."""
    config = project.root / "pyproject.toml"
    config.write_text('[tool.coroguard]\npaths = ["test"]\n' + config.read_text())
    ran = project.gate()
    assert ran.code == ExitCode.CONFIGURATION
    assert "'test' does not exist. Did you mean 'tests'?" in ran.report["problem"]
