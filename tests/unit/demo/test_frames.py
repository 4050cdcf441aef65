"""Frames of a client, read or refused with the reason."""

from __future__ import annotations

import json
import uuid

import pytest

from coroguard.demo.frames import MAX_TEXT, FrameError, error_frame, parse

WRONG = {
    "unknown type": ('{"type": "shout"}', "send message, history, ping"),
    "no type": ('{"text": "hello"}', "send message, history, ping"),
    "no text": ('{"type": "message"}', "no text"),
    "blank text": ('{"type": "message", "text": "  "}', "no text"),
    "empty": ("", "no text"),
    "text is a list": ('{"type": "message", "text": ["a"]}', "no text"),
    "text is a number": ('{"type": "message", "text": 5}', "no text"),
    "too long": ("x" * (MAX_TEXT + 1), f"at most {MAX_TEXT}"),
    "zero byte": ("a\x00b", "zero byte"),
    "broken JSON": ('{"type": ', "broken JSON"),
    "id": ('{"type": "message", "text": "x", "id": "7"}', "the id is not a UUID"),
    "deep JSON": ('{"a":' + "[" * 100_000, "broken JSON"),
    "type is a list": ('{"type": ["ping"]}', "unknown type"),
    "lone surrogate": ('{"type": "message", "text": "\\ud800"}', "surrogate"),
}


def test_plain_text_is_a_message():
    """A person may type words instead of JSON."""
    frame = parse("hello there")
    assert (frame.kind, frame.text) == ("message", "hello there")


def test_a_message_without_an_id_gets_a_new_one():
    """Two messages without an id are two messages."""
    assert parse("a").message_id != parse("a").message_id


def test_the_id_of_the_client_is_kept():
    """A client that sends a message again can mark it as the same."""
    chosen = str(uuid.uuid4())
    raw = json.dumps({"type": "message", "text": "a", "id": chosen})
    assert parse(raw).message_id == chosen


# Where the stack is full, the hooks of a collection have no room either.
@pytest.mark.usefixtures("collected_by_hand")
@pytest.mark.parametrize(("raw", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_frame_is_refused_with_the_fix(raw, words):
    """A frame that cannot be read is refused with what to send instead."""
    with pytest.raises(FrameError, match=words):
        parse(raw)


def test_an_error_frame_has_all_its_fields():
    """An error frame always names code, message, components and suggestions."""
    assert error_frame("CODE", "words") == {
        "type": "error",
        "code": "CODE",
        "message": "words",
        "failed_components": [],
        "suggestions": [],
    }
