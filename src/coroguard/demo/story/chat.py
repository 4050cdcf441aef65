"""Step 2: many users who chat at once, each with answers of their own only."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from coroguard.demo.agent import EVENTS
from coroguard.demo.client import ChatClient, connect_all
from coroguard.demo.story.evidence import Claim, equal

if TYPE_CHECKING:
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.story.screen import Screen

_TURNS = 5
_SHOWN = ("type", "words", "tool", "result", "text")


async def run(
    service: PythonService, tokens: Sequence[str], screen: Screen
) -> list[Claim]:
    """Run every user's chat, then look for anything lost, doubled or crossed."""
    texts = [
        [f"marker-{n:04d} speaks for the {turn + 1}. time" for turn in range(_TURNS)]
        for n in range(len(tokens))
    ]
    async with connect_all(service.url, tokens) as clients:
        started = time.perf_counter()
        chats = await asyncio.gather(*map(_chat, clients, texts))
        took_s = time.perf_counter() - started
        histories = await asyncio.gather(*(client.history() for client in clients))
    turns = [frames for chat in chats for frames, _ in chat]
    waits_ms = sorted(wait_ms for chat in chats for _, wait_ms in chat)
    screen.note(
        f"{len(turns)} turns in {took_s:.2f} s, {sum(map(len, turns))} events; "
        f"a turn took {waits_ms[len(waits_ms) // 2]:.0f} ms in the median, "
        f"{waits_ms[-1]:.0f} ms at most"
    )
    screen.quote("user 0, last turn", _lines(chats[0][-1][0]))
    asked = len(tokens) * _TURNS
    order = {tuple(frame["type"] for frame in frames) for frames in turns}
    markers = [
        {*re.findall(r"marker-\d+", json.dumps(frames))} != {f"marker-{n:04d}"}
        for n, chat in enumerate(chats)
        for frames, _ in chat
    ]
    kept = [[m["text"] for m in h if m["role"] == "user"] for h in histories]
    return [
        equal(f"{asked} turns were answered", len(turns), asked),
        equal("each turn had its five events in order", order, {EVENTS}),
        equal("nobody saw a word of another user", sum(markers), 0),
        equal("PostgreSQL kept every message, once and in order", kept, texts),
        equal("a forged token was sent away", await _forged(service, tokens[0]), 4401),
    ]


async def _chat(
    client: ChatClient, texts: Sequence[str]
) -> list[tuple[list[dict[str, Any]], float]]:
    """Return the frames of each turn, and the milliseconds it took."""
    turns: list[tuple[list[dict[str, Any]], float]] = []
    for text in texts:
        started = time.perf_counter()
        frames = await client.ask(text)
        turns.append((frames, (time.perf_counter() - started) * 1000))
    return turns


def _lines(frames: list[dict[str, Any]]) -> str:
    shown = [{key: frame[key] for key in _SHOWN if key in frame} for frame in frames]
    return "\n".join(json.dumps(frame, ensure_ascii=False) for frame in shown)


async def _forged(service: PythonService, token: str) -> int | None:
    """Return the close code that a token with a changed signature gets."""
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    async with ChatClient(service.url, forged) as client:
        try:
            await client.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
    return None
