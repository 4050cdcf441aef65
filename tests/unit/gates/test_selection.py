"""Which tests a gate expects, and which gates a choice takes."""

from __future__ import annotations

import pytest

from coroguard.gates.config import Config
from coroguard.gates.errors import GateConfigError
from coroguard.gates.record import GateRecord, MissingService
from coroguard.gates.selection import Selection, pin
from coroguard.gates.verdict import Gate

A = "tests/unit/test_a.py::test_one[x::y]"
B = "tests/unit/test_a.py::TestB::test_two"
C = "tests/mission_critical/test_c.py::test_three"


def item(test_id, *names, blocks=True, wrong=()):
    marks = [
        {"names": [name], "blocks": blocks, "wrong": list(wrong)} for name in names
    ]
    return {"id": test_id, "marks": marks}


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
    """A gate blocks unless the configuration, or else every mark, says otherwise."""
    gate = {} if configured is None else {"blocks_deployment": configured}
    assert pinned(gate, item(A, "g", blocks=marked)).blocks_deployment is expected


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


def test_a_choice_needs_both():
    """A gate is taken if its category and one of the patterns fit."""
    gate = Gate("chat", category="unit", expected=(A,))
    assert Selection().fits(gate)
    assert Selection(("unit", "critical"), ("nothing", "*test_a*")).fits(gate)
    assert not Selection(("critical",), ("*test_a*",)).fits(gate)
    assert not Selection(("unit",), ("nothing",)).fits(gate)


def test_a_record_adds_up():
    """What a test says is kept, kind by kind."""
    record = GateRecord()
    record.did(users=2)
    record.did(users=1, faults=0)
    record.service("db", real=True, version="17")
    record.measure("p99", 3, "ms")
    assert record.to_json() == {
        "amounts": {"users": 3, "faults": 0},
        "services": [{"name": "db", "real": True, "version": "17"}],
        "missing": [],
        "measures": [{"name": "p99", "value": 3.0, "unit": "ms"}],
    }


def test_a_negative_amount_is_refused():
    """Nobody can have done less than nothing."""
    with pytest.raises(ValueError, match="users=-1"):
        GateRecord().did(users=-1)


def test_a_missing_service_is_no_exception():
    """Code under test that swallows every `Exception` does not swallow this one."""
    record = GateRecord()
    with pytest.raises(MissingService, match="redis is missing: refused") as raised:
        record.missing("redis", "refused")
    assert not isinstance(raised.value, Exception)
    assert record.to_json()["missing"] == [{"name": "redis", "why": "refused"}]
