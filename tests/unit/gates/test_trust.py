"""Whether what a run left can be believed."""

from __future__ import annotations

import pytest

from coroguard.gates.job import Job
from coroguard.gates.process import Ended
from coroguard.gates.sealed import (
    NotThisRunError,
    read_sealed,
    write_sealed,
)
from coroguard.gates.trust import doubts, evidence

NONCE = b"nonce"


def report(exit_code=0, outcome="passed", ended=(), complete=True):
    test = {"phases": [{"outcome": outcome}]}
    return {
        "exit": exit_code,
        "ended": list(ended),
        "tests": [test],
        "complete": complete,
    }


DOUBTS = {
    "green": (report(), 0, []),
    "red": (report(1, "failed"), 1, []),
    "green code and red test": (
        report(0, "failed"),
        0,
        ["pytest left with 0 although a test failed"],
    ),
    "red code and green test": (
        report(1),
        1,
        ["pytest left with 1 although no test failed"],
    ),
    "another code": (report(), 1, ["pytest left with 1, and its report has 0"]),
    "a signal": (report(), -9, ["pytest was killed by SIGKILL, and its report has 0"]),
    "ended before its end": (
        report(complete=False),
        0,
        ["the process ended before its exit handlers had run"],
    ),
    "interrupted": (report(2), 2, ["pytest was interrupted"]),
    "ended from inside": (
        report(ended=["Exit ended the run"]),
        0,
        ["Exit ended the run"],
    ),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_doubts(name):
    """Exit code and report have to agree, in each direction."""
    shown, code, expected = DOUBTS[name]
    assert list(doubts(shown, code)) == expected


@pytest.mark.parametrize(
    "change",
    [lambda text: text.replace("green", "GREEN"), lambda text: text[:-1], lambda _: ""],
    ids=["changed", "torn", "empty"],
)
def test_a_seal_holds_the_text(tmp_path, change):
    """A report that is not letter for letter what was sealed is refused."""
    file = tmp_path / "r"
    write_sealed(file, "green\nü", NONCE)
    assert read_sealed(file, NONCE) == "green\nü"
    file.write_text(change(file.read_text()))
    with pytest.raises(NotThisRunError):
        read_sealed(file, NONCE)


def test_a_seal_of_another_run(tmp_path):
    """A report sealed with another nonce is refused, and the file holds no nonce."""
    file = tmp_path / "r"
    write_sealed(file, "green", b"another")
    assert b"another" not in file.read_bytes()
    with pytest.raises(NotThisRunError):
        read_sealed(file, NONCE)


@pytest.mark.parametrize("over_limit", [True, False])
def test_no_report(tmp_path, over_limit):
    """Without a report a run is broken; after its limit it is whatever it left."""
    ended = Ended(
        0, over_limit, NONCE, stacks="here", output="last words", duration_s=1
    )
    broken = evidence(Job(str(tmp_path)), ended, 5).broken
    expected = (
        "limit of 5 s" if over_limit else "pytest left with 0 and wrote no report"
    )
    assert expected in broken[0]
