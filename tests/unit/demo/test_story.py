"""Can the story be told green although it did not happen?"""

from __future__ import annotations

import pytest

from coroguard.demo.story.claims import StepResult
from coroguard.demo.story.logs import SEED_ERROR, last_error, leak_block, leak_record

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


def test_a_step_without_claims_did_not_happen():
    """A step that claimed nothing is not green."""
    assert not StepResult("empty").happened


def test_one_claim_that_does_not_hold_is_enough():
    """One claim that does not hold makes the step red and says what was seen."""
    result = StepResult("step")
    result.equal("right", 1, 1)
    result.equal("wrong", 19, 20)
    assert not result.happened
    assert [claim.seen for claim in result.claims] == ["", "19 instead of 20"]


def test_nothing_is_contained_in_an_empty_text():
    """A claim about a text fails where the text is missing or no part is named."""
    result = StepResult("step")
    result.contains("found nothing", "", "part")
    result.contains("looked for nothing", "whole")
    assert [claim.held for claim in result.claims] == [False, False]


def test_a_step_that_broke_off_did_not_happen():
    """Claims that held do not save a step that ended with an error."""
    result = StepResult("step")
    result.equal("right", 1, 1)
    result.broke(TimeoutError())
    assert not result.happened


def test_the_leak_block_is_headline_and_labelled_lines():
    """The error is cut out of the log whole, without what stands around it."""
    assert leak_block(LOG).splitlines() == [
        "coroguard.errors.CoroutineLeakError: check() let a coroutine escape",
        "  leaked:   coroutine 'ping'",
        "  fix:      await ping(...)",
    ]


def test_the_record_of_a_dropped_coroutine_is_found_among_others():
    """A record is found by its words, with its own labelled lines only."""
    assert leak_record(LOG, "left a coroutine behind").splitlines()[1:] == [
        "  leaked:   coroutine 'is_connected'"
    ]


def test_the_last_error_is_shown_with_its_frame():
    """The seed's error is shown with the line that raised it."""
    assert last_error(LOG, frames=1).splitlines() == [
        '  File "b.py", line 2, in b',
        '    report.get("x")',
        SEED_ERROR,
    ]


@pytest.mark.parametrize("find", [leak_block, leak_record, last_error])
def test_a_log_without_errors_shows_none(find):
    """Where nothing happened nothing is shown."""
    assert find("INFO a: b\n") == ""
