"""The agent, which answers a message."""

# It is deterministic and needs no network: it looks the message's words up in the
# user's own conversation and answers with what it found.

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EVENTS = (
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
)
_TOOL = "search_history"
_MAX_KEYWORDS = 5


@dataclass(frozen=True, slots=True)
class Found:
    """The result of the tool.

    Args:
        earlier: How many messages the user has sent in this conversation so far.
        matching: How many of them contain one of the words.
    """

    earlier: int
    matching: int


class Conversation(Protocol):
    """The conversation that the agent may look into, and no other."""

    async def search(self, words: Sequence[str]) -> Found:
        """Count the user's messages, and those with one of the words."""
        ...

    async def keep(self, text: str, answer: str) -> None:
        """Keep a message and its answer, both or neither."""
        ...


class Agent:
    """An agent with one tool.

    Args:
        conversation: What the tool searches and where the answer is kept.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def run(self, text: str) -> AsyncIterator[dict[str, Any]]:
        """Answer a message, event by event; the answer is kept before it is sent."""
        yield {"type": "agent_started"}
        words = keywords(text)
        yield {"type": "agent_thinking", "words": words}
        yield {"type": "tool_executing", "tool": _TOOL, "words": words}
        found = await self._conversation.search(words)
        result = {"earlier": found.earlier, "matching": found.matching}
        yield {"type": "tool_completed", "tool": _TOOL, "result": result}
        answer = compose(text, found)
        await self._conversation.keep(text, answer)
        yield {"type": "agent_completed", "text": answer}


def keywords(text: str) -> list[str]:
    """Return the words worth looking up: longest first, at most five, no repeats."""
    words = dict.fromkeys(re.findall(r"\w{3,}", text.lower()))
    return sorted(words, key=len, reverse=True)[:_MAX_KEYWORDS]


def compose(text: str, found: Found) -> str:
    """Return the answer, which quotes the message."""
    quote = text if len(text) <= 80 else text[:79] + "…"
    if not found.earlier:
        return f"You wrote “{quote}”, your first message here."
    return (
        f"You wrote “{quote}”; {found.matching} of your {found.earlier} earlier "
        "messages mention it."
    )
