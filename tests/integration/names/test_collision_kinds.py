"""The part of coroguard that sees each kind of collision, and when."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from more_kinds import KINDS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/explanation/collisions.md"
PLANTED = Path(__file__).parent / "planted"
OUTAGE = "AttributeError: 'coroutine' object has no attribute 'get'"
ANSWER = ["restart redis"]
COLUMNS = ("audit", "lock", "lost guards", "call")


@cache
def plant(kind, mode):
    """Plant a kind in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "plant.py", kind],
        cwd=PLANTED,
        env={"COROGUARD_MODE": mode, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def table():
    """Read the table of the page: what it claims of each kind."""
    rows = re.findall(r"^\| (.+) \|$", PAGE.read_text(), re.M)
    cells = [[cell.strip() for cell in row.split(" | ")] for row in rows]
    [head] = [row for row in cells if row[0] == "kind"]
    assert head[2:] == [*COLUMNS]
    kinds = [row for row in cells if row[0] in KINDS]
    assert {mark for row in kinds for mark in row[2:]} == {"yes", "no"}
    return {row[0]: dict(zip(COLUMNS, row[2:], strict=True)) for row in kinds}


def test_the_table_has_every_kind():
    """The page has a row for each kind, in the order of the code."""
    assert [*table()] == [*KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_without_coroguard_it_is_the_outage(kind):
    """Without coroguard each kind dies with the error of the real outage."""
    reported = plant(kind, "off")
    assert reported["before"] == reported["after"] == ANSWER
    assert reported["outage"] == OUTAGE
    assert reported["lost guards"] == reported["call"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_who_sees_it(kind):
    """The parts that the page names for a kind see it, and the others do not."""
    reported = plant(kind, "enforce")
    assert reported["findings before"] == []
    seen = {column: "yes" if reported[column] else "no" for column in COLUMNS}
    assert seen == table()[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_call_names_the_twin(kind):
    """At the latest the guard around the call names what was used as a value."""
    text, *_ = plant(kind, "enforce")["call"]  # a guarded twin names itself, too
    name = "AsyncMockMixin" if kind == "mock" else "check"
    assert re.search(rf"leaked: +coroutine '.*{name}", text)
    assert "fix:      await" in text


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_ahead_names_both_places(kind):
    """Each audit and each lost guard names both places, and what to type."""
    reported = plant(kind, "enforce")
    for text in (*reported["audit"], *reported["lost guards"]):
        labels = re.findall(r"^  (\w+): ", text, re.M)
        assert labels in (["first", "second", "fix"], ["first", "fix"]), text
        assert re.search(r"\.py(:\d+)?", text)
