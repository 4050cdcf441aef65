"""Tests that a gate expects, and gates that options select."""

from __future__ import annotations

import pytest

from coroguard.gates.config import Config
from coroguard.gates.errors import GateConfigError
from coroguard.gates.selection import Selection, pin
from coroguard.gates.verdict import Gate

A = "tests/unit/test_a.py::test_one[x::y]"
B = "tests/unit/test_a.py::TestB::test_two"
C = "tests/mission_critical/test_c.py::test_three"


def item(test_id, *names, blocks=True, wrong=(), unknown=()):
    marks = [
        {"names": [name], "blocks": blocks, "wrong": list(wrong)} for name in names
    ]
    return {"id": test_id, "marks": marks, "unknown": list(unknown)}


def pinned(gate: dict, *items) -> Gate:
    return pin(Config.model_validate({"gates": {"g": gate}}), items)[0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (A, (A,)),
        ("tests/unit/test_a.py::test_one", (A,)),
        ("tests/unit/test_a.py", (A, B)),
        ("tests/unit/", (A, B)),
        ("tests/unit/test_a.py::TestB", (B,)),
        ("*three", (C,)),
        ("tests/unit/test_a", ()),
    ],
)
def test_an_entry_means(entry, expected):
    """A node id, what holds tests, or a glob; and never half a name."""
    gate = pinned({"tests": [entry]}, item(A), item(B), item(C))
    assert gate.expected == expected
    assert gate.uncollected == (() if expected else (entry,))


def test_marks_and_entries_add_up():
    """A gate expects what it lists and what is marked, each once, as collected."""
    gate = pinned({"tests": [B]}, item(C, "g"), item(A), item(B, "g"))
    assert gate.expected == (C, B)


@pytest.mark.parametrize(
    ("configured", "marked", "expected"),
    [
        (None, True, True),
        (None, False, False),
        (True, False, True),
        (False, True, False),
    ],
)
def test_what_blocks(configured, marked, expected):
    """A gate blocks unless the configuration, or else every marker, is against it."""
    gate = {} if configured is None else {"blocks_deployment": configured}
    assert pinned(gate, item(A, "g", blocks=marked)).blocks_deployment is expected


def test_a_mark_speaks_for_its_own_test():
    """A gate blocks while a test of it is not marked as one that does not."""
    marked = item(A, "g", blocks=False)
    assert pinned({"tests": [B]}, marked, item(B)).blocks_deployment
    assert not pinned({"tests": [A]}, marked, item(B)).blocks_deployment


@pytest.mark.parametrize(
    ("tests", "expected"), [([A, B], "unit"), ([C], "critical"), ([A, C], "")]
)
def test_category_by_folder(tests, expected):
    """Without a category of its own a gate has the one of its tests' folder."""
    assert pinned({}, *(item(t, "g") for t in tests)).category == expected


@pytest.mark.parametrize(
    "wrong", [item(A, "gg"), item(A, "g", wrong=["blocks"])], ids=["name", "argument"]
)
def test_a_wrong_mark(wrong):
    """A mark for an unknown gate or with an unknown argument is refused."""
    with pytest.raises(GateConfigError, match=r"Did you mean 'g'|given blocks"):
        pinned({}, wrong)


@pytest.mark.parametrize(
    ("mark", "name", "is_refused"),
    [("gates", "g", True), ("gats", "gate one", False), ("freeze", "2020", False)],
)
def test_an_unknown_marker(mark, name, is_refused):
    """A marker that is not registered and names a gate is refused."""
    unknown = item(A, unknown=[{"mark": mark, "names": [name]}])
    if is_refused:
        with pytest.raises(GateConfigError, match="unknown marker"):
            pinned({}, unknown)
    else:
        pinned({}, unknown)


def test_a_choice_needs_both():
    """A gate is taken if its category and one of the patterns fit."""
    gate = Gate("chat", category="unit", expected=(A,))
    assert Selection().fits(gate)
    assert Selection(("unit", "critical"), ("nothing", "*test_a*")).fits(gate)
    assert not Selection(("critical",), ("*test_a*",)).fits(gate)
    assert not Selection(("unit",), ("nothing",)).fits(gate)
