"""The tests that a file defines, as they are read from its source."""

from __future__ import annotations

import sys
import types
from textwrap import dedent

import pytest

from coroguard.gates.source import Naming, defined_tests

NAMING = Naming(["test"], ["Test"])


@pytest.fixture
def read(tmp_path):
    """Return the tests of a text, by name."""

    def read(text: str):
        file = tmp_path / "test_it.py"
        file.write_text(dedent(text))
        return defined_tests(file, NAMING)

    return read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def test_a(): pass\nasync def test_b(): pass", ["test_a", "test_b"]),
        ("def helper(): pass\ndef prepare_test(): pass", []),
        ("class TestA:\n    def test_b(self): pass", ["TestA::test_b"]),
        ("class A:\n    def test_b(self): pass", []),
        ("class A(unittest.TestCase):\n    def testB(self): pass", ["A::testB"]),
        ("@pytest.fixture\ndef test_client(): pass", []),
        ("@pytest_asyncio.fixture()\nasync def test_client(): pass", []),
        ("if WINDOWS:\n    def test_a(): pass", []),
        ("class TestA:\n  class TestB:\n    def test(self): 0", ["TestA::TestB::test"]),
        ("@overload\ndef test_a(): pass\ndef test_a(x): pass", ["test_a"]),
        ("def test_a(:", []),
    ],
    ids=lambda value: value.partition("\n")[0] if isinstance(value, str) else "",
)
def test_what_is_a_test(read, text, expected):
    """Functions and methods are tests as pytest and unittest name them."""
    assert [test.name for test in read(text)] == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def test_a(): 0\ndef test_a(): 1", "line 2 replaces it"),
        ("class TestA:\n  def __init__(self): 0\n  def test_b(self): 0", "__init__"),
        ("class TestA:\n  __test__ = False\n  def test_b(self): 0", "__test__ is"),
        ("__test__ = False\ndef test_a(): 0", "__test__ is False"),
        ("__test__ = True\ndef test_a(): 0", ""),
    ],
)
def test_why_a_test_cannot_be_collected(read, text, why):
    """The source shows why pytest does not collect a test."""
    first = read(text)[0]
    assert why in first.why
    assert bool(first.why) is bool(why)


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.gate('chat')\ndef test_a(): 0",
        "@mark.gate('chat')\nclass TestA:\n  def test_a(self): 0",
        "pytestmark = pytest.mark.gate('chat')\ndef test_a(): 0",
        "pytestmark = [pytest.mark.db, pytest.mark.gate('chat')]\ndef test_a(): 0",
        "CHAT = pytest.mark.gate('chat')\npytestmark = CHAT\ndef test_a(): 0",
        "NAME = 'chat'\n@pytest.mark.gate(NAME)\ndef test_a(): 0",
        "import labels_of_ours\n@labels_of_ours.CHAT\ndef test_a(): 0",
        "from labels_of_ours import CHAT as IT\npytestmark = [IT]\ndef test_a(): 0",
        "from labels_of_ours import NAME\n@pytest.mark.gate(NAME)\ndef test_a(): 0",
    ],
)
def test_the_gates_of_a_marker(read, monkeypatch, text):
    """Markers name gates directly, by constants, and by imported ones."""
    module = types.ModuleType("labels_of_ours")
    module.CHAT, module.NAME = pytest.mark.gate("chat"), "chat"
    monkeypatch.setitem(sys.modules, "labels_of_ours", module)
    assert [test.gates for test in read(text)] == [frozenset({"chat"})]


def test_a_marker_that_is_defined_by_itself(read):
    """A constant that stands for itself names no gate and ends."""
    assert read("A = B\nB = A\npytestmark = A\ndef test_a(): 0")[0].gates == frozenset()
