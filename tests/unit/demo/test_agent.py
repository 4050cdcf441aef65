"""The agent's events, in order, and the answers it keeps."""

from __future__ import annotations

import pytest

from coroguard.demo.agent import EVENTS, Agent, Found, keywords


class Notebook:
    def __init__(self, *, earlier=0, matching=0, broken=False):
        self.found, self.broken = Found(earlier, matching), broken
        self.asked, self.kept = [], []

    async def search(self, words):
        self.asked.append(words)
        if self.broken:
            raise OSError("gone")
        return self.found

    async def keep(self, text, answer):
        self.kept.append((text, answer))


async def test_a_turn_has_five_events_in_order():
    """Every turn has its five events in the order of the seed."""
    events = [event["type"] async for event in Agent(Notebook()).run("hello world")]
    assert tuple(events) == EVENTS


async def test_the_tool_searches_for_the_words_of_the_message():
    """The tool gets the message's words, and its result is an event."""
    notebook = Notebook(earlier=3, matching=2)
    events = [event async for event in Agent(notebook).run("hello world")]
    assert notebook.asked == [["hello", "world"]]
    assert events[3]["result"] == {"earlier": 3, "matching": 2}
    assert "2 of your 3 earlier messages" in events[4]["text"]


async def test_the_answer_is_kept_before_it_is_sent():
    """A client that has read the answer finds it in the history."""
    notebook = Notebook()
    async for event in Agent(notebook).run("hello"):
        if event["type"] == "agent_completed":
            assert notebook.kept == [("hello", event["text"])]


async def test_a_broken_tool_keeps_nothing():
    """A turn that breaks off leaves no half of a conversation."""
    notebook = Notebook(broken=True)
    with pytest.raises(OSError, match="gone"):
        [event async for event in Agent(notebook).run("hello")]
    assert notebook.kept == []


def test_keywords_are_few_and_not_repeated():
    """Short words and repeats are not looked up, and never more than five."""
    assert keywords("a to Hello hello") == ["hello"]
    assert len(keywords("one two three four five six seven")) == 5
