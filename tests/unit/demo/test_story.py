"""Steps of the demonstration that are green only when they happened."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from coroguard.demo.story import outage, silent
from coroguard.demo.story.evidence import (
    SEED_ERROR,
    contains,
    equal,
    labelled_lines,
    last_error,
)
from coroguard.demo.story.run import run_steps
from coroguard.demo.story.screen import Screen

LOG = f"""INFO uvicorn.error: Started server process [7]
ERROR coroguard.leak: coroguard raised a leak: check() let a coroutine escape
  leaked:   coroutine 'ping'
  fix:      await ping(...)
WARNING coroguard.leak: coroguard reported a leak: check() left a coroutine behind
  leaked:   coroutine 'is_connected'
INFO next: record
Traceback (most recent call last):
  File "a.py", line 1, in a
    b()
  File "b.py", line 2, in b
    report.get("x")
{SEED_ERROR}
coroguard.errors.CoroutineLeakError: check() let a coroutine escape
  leaked:   coroutine 'ping'
  fix:      await ping(...)

INFO the: end
"""


def outcome(*steps):
    """Return the exit code of some steps, and their output."""
    file = io.StringIO()
    screen = Screen(Console(file=file, width=120))
    return run_steps([("step", step) for step in steps], screen), file.getvalue()


def step(*claims, error=None):
    async def run():
        if error is not None:
            raise error
        return list(claims)

    return run


RIGHT = equal("right", 1, 1)


def test_claims_that_hold_are_counted():
    """Where every claim holds, the code is 0 and the output has their number."""
    code, output = outcome(step(RIGHT), step(RIGHT, RIGHT))
    assert code == 0
    assert "all 2 steps happened as described: 3 claims in " in output


@pytest.mark.parametrize(
    ("bad", "seen"),
    [
        (step(), "the step claimed something: nothing"),
        (step(RIGHT, equal("wrong", 19, 20)), "wrong: 19 instead of 20"),
        (step(RIGHT, error=TimeoutError()), "the step ran to its end: TimeoutError()"),
    ],
    ids=["no claims", "a claim that fails", "an error"],
)
def test_a_step_that_did_not_happen_fails_the_demonstration(bad, seen):
    """One step without proof makes the code 1, and the output shows why."""
    code, output = outcome(step(RIGHT), bad)
    assert code == 1
    assert seen in output
    assert "did not happen as described: step 2" in output
    assert "claims in" not in output


def test_nothing_is_contained_in_an_empty_text():
    """A claim about a text fails where the text is missing or no part is named."""
    claims = [contains("found nothing", "", "part"), contains("no parts", "whole")]
    assert [claim.held for claim in claims] == [False, False]


def test_the_leak_block_is_headline_and_labelled_lines():
    """The error is cut out of the log whole, without the lines around it."""
    assert labelled_lines(LOG, outage.LEAK).splitlines() == [
        "coroguard.errors.CoroutineLeakError: check() let a coroutine escape",
        "  leaked:   coroutine 'ping'",
        "  fix:      await ping(...)",
    ]


def test_the_record_of_a_dropped_coroutine_is_found_among_others():
    """A record is found by its words, with its own labelled lines only."""
    assert labelled_lines(LOG, silent.DROPPED).splitlines()[1:] == [
        "  leaked:   coroutine 'is_connected'"
    ]


def test_the_last_error_is_shown_with_its_frames():
    """The seed's error is shown with the line that raised it, and its caller."""
    assert last_error(LOG).splitlines() == [
        '  File "a.py", line 1, in a',
        "    b()",
        '  File "b.py", line 2, in b',
        '    report.get("x")',
        SEED_ERROR,
    ]


def test_a_log_without_errors_shows_none():
    """Where nothing happened nothing is shown."""
    log = "INFO a: b\n"
    assert [labelled_lines(log, outage.LEAK), last_error(log)] == ["", ""]
