"""Step 2: do 20 users chat at once, each with its own answers only?"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from coroguard.demo.agent import EVENTS
from coroguard.demo.client import ChatClient
from coroguard.demo.story.stage import USERS

if TYPE_CHECKING:
    from coroguard.demo.story.stage import Stage

__all__ = ["TITLE", "run"]

TITLE = f"{USERS} users chat at once, guard on"
_TURNS = 5


async def run(stage: Stage) -> None:
    """Let every user talk, then look for anything lost, doubled or crossed."""
    service, result = stage.cast.plain_on, stage.result
    async with stage.users(service) as clients:
        started = time.perf_counter()
        talks = await asyncio.gather(
            *(_talk(client, f"marker-{n:04d}") for n, client in enumerate(clients))
        )
        took_s = time.perf_counter() - started
        histories = await asyncio.gather(*(client.history() for client in clients))
    turns = [turn for frames_by_turn, _ in talks for turn in frames_by_turn]
    waits_ms = sorted(ms for _, waits in talks for ms in waits)
    stage.screen.note(
        f"{len(turns)} turns in {took_s:.2f} s, {sum(map(len, turns))} events; "
        f"a turn took {waits_ms[len(waits_ms) // 2]:.0f} ms in the median, "
        f"{waits_ms[-1]:.0f} ms at most"
    )
    stage.screen.quote("user 0, last turn", _lines(talks[0][0][-1]))
    order = {tuple(frame["type"] for frame in turn) for turn in turns}
    result.equal(f"{USERS * _TURNS} turns were answered", len(turns), USERS * _TURNS)
    result.equal("each turn had its five events in order", order, {EVENTS})
    crossed = sum(_crossed(n, frames) for n, (frames, _) in enumerate(talks))
    result.equal("nobody saw a word of another user", crossed, 0)
    kept = [[m["text"] for m in h if m["role"] == "user"] for h in histories]
    said = [[_text(f"marker-{n:04d}", t) for t in range(_TURNS)] for n in range(USERS)]
    result.equal("PostgreSQL kept every message, once and in order", kept, said)
    result.equal("a forged token was sent away", await _forged(stage), 4401)


async def _talk(
    client: ChatClient, marker: str
) -> tuple[list[list[dict[str, Any]]], list[float]]:
    turns: list[list[dict[str, Any]]] = []
    waits_ms: list[float] = []
    for turn in range(_TURNS):
        started = time.perf_counter()
        turns.append(await client.say(_text(marker, turn)))
        waits_ms.append((time.perf_counter() - started) * 1000)
    return turns, waits_ms


def _text(marker: str, turn: int) -> str:
    return f"{marker} speaks for the {turn + 1}. time"


def _crossed(number: int, turns: list[list[dict[str, Any]]]) -> int:
    """Count the turns that miss the user's own marker or hold another's."""
    own = f"marker-{number:04d}"
    whole = (json.dumps(turn) for turn in turns)
    return sum(text.count("marker-") != text.count(own) > 0 for text in whole) + sum(
        own not in turn[-1].get("text", "") for turn in turns
    )


def _lines(turn: list[dict[str, Any]]) -> str:
    told = ("type", "words", "tool", "result", "text")
    return "\n".join(
        json.dumps(
            {key: frame[key] for key in told if key in frame}, ensure_ascii=False
        )
        for frame in turn
    )


async def _forged(stage: Stage) -> int | None:
    head, claims, signature = stage.tokens[0].split(".")
    swapped = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    token = f"{head}.{claims}.{swapped}"
    async with ChatClient(stage.cast.plain_on.url, token) as client:
        try:
            await client.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
    return None
