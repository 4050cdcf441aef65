"""Lock files, written, read back, and refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coroguard import GuardUsageError
from coroguard._inspect.colours import Colour
from coroguard.bindings.lock.lockfile import (
    FORMAT,
    DamagedLockError,
    from_text,
    to_text,
)
from coroguard.bindings.lock.record import UNDECIDED, Lock

LOCK = Lock(
    packages=("app", "lib"),
    colours={"app.health:check": "sync", "lib:Client.get": "async"},
    contracts={"app.health:check": "HealthReport"},
    schemas={"HealthReport": {"healthy": "boolean", "summary": "string"}},
)
TEXT = """\
# coroguard.lock: the colour of each public function, and what each guard expects.
# Never edit it by hand: `coroguard lock` renews it, `coroguard lock --check` fails
# where the code differs from it.
format = 1
packages = [
    "app",
    "lib",
]

[colours]
"app.health:check" = "sync"
"lib:Client.get" = "async"

[contracts]
"app.health:check" = "HealthReport"

[schemas."HealthReport"]
"healthy" = "boolean"
"summary" = "string"

# The end of coroguard.lock.
"""
texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    colours = st.sampled_from([*map(str, Colour), UNDECIDED])
    entries = st.dictionaries(texts, texts, max_size=5)
    return Lock(
        packages=tuple(draw(st.lists(names, min_size=1, max_size=3))),
        colours=draw(st.dictionaries(texts, colours, max_size=5)),
        contracts=draw(entries),
        schemas=draw(st.dictionaries(texts, entries, max_size=3)),
    )


def test_text() -> None:
    """A lock is a line for each function, sorted, with how to renew it on top."""
    assert to_text(LOCK) == TEXT


@given(locks())
def test_round_trip(lock: Lock) -> None:
    """Every lock that is written is read as it was, and written again the same."""
    text = to_text(lock)
    assert from_text(text, "coroguard.lock") == lock
    assert to_text(from_text(text, "coroguard.lock")) == text


def test_order_of_finding_is_no_change() -> None:
    """The text does not depend on the order in which functions were found."""
    turned = Lock(
        LOCK.packages, dict(reversed(LOCK.colours.items())), LOCK.contracts,
        {"HealthReport": dict(reversed(LOCK.schemas["HealthReport"].items()))},
    )  # fmt: skip
    assert to_text(turned) == TEXT


def test_windows_line_ends_are_no_damage() -> None:
    """A checkout that turns line ends reads the same lock."""
    assert from_text(TEXT.replace("\n", "\r\n"), "coroguard.lock") == LOCK


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('"sync"', "sync", "is damaged (Invalid value"),
        (
            '= "sync"',
            '= "snyc"',
            "'snyc', the colour of app.health:check, does not exist",
        ),
        ('= "sync"', "= 1", "[colours] is missing, or holds more than texts"),
        ("[contracts]", "[contract]", "[contracts] is missing"),
        ('"lib:Client.get"', '"app.health:check"', "is damaged (Cannot overwrite"),
        ("format = 1\n", "", "it lacks format = 1"),
        ("# The end of coroguard.lock.\n", "", "its end is missing"),
        (TEXT[TEXT.index('"lib:Client') :], "", "its end is missing"),
        ("[colours]", "<<<<<<< HEAD\n[colours]", ":10 has the mark of a merge"),
        ("[colours]", "=======\r\n[colours]", ":10 has the mark of a merge"),
        ("[colours]", ">>>>>>> feature\n[colours]", ":10 has the mark of a merge"),
    ],
    ids=[
        *("syntax", "unknown colour", "number", "no section", "twice", "no format"),
        *("no end", "torn", "conflict", "conflict's middle", "conflict's end"),
    ],
)
def test_damage_is_reported_with_the_fix(before: str, after: str, why: str) -> None:
    """A damaged lock is refused; the message ends with the command that renews it."""
    damaged = TEXT.replace(before, after, 1)
    assert damaged != TEXT
    with pytest.raises(DamagedLockError, match=re.escape(why)) as caught:
        from_text(damaged, "coroguard.lock", "coroguard lock --file coroguard.lock")
    message = str(caught.value)
    assert message.endswith(
        "write it anew: coroguard lock --file coroguard.lock app lib"
    )


def test_damage_that_took_the_packages() -> None:
    """Where no package is named any more, the message leaves the place for it."""
    with pytest.raises(DamagedLockError, match=r"anew: coroguard lock PACKAGE$"):
        from_text(TEXT.partition("packages")[0], "coroguard.lock")


def test_newer_format_is_not_guessed_at() -> None:
    """A lock of a format to come is refused with what to install."""
    newer = TEXT.replace("format = 1", f"format = {FORMAT + 1}").replace('"', "'")
    with pytest.raises(GuardUsageError, match="pip install --upgrade coroguard"):
        from_text(newer, "coroguard.lock")


@pytest.mark.parametrize(
    "text", ["", "[project]\nname = 'app'\n", "\0"], ids=["empty", "toml", "binary"]
)
def test_foreign_file_is_left_alone(text: str) -> None:
    """A file that is not a lock of coroguard is refused and left as it is."""
    with pytest.raises(
        GuardUsageError, match="is not a lock of coroguard and was left"
    ):
        from_text(text, "pyproject.toml")
