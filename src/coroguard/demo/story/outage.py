"""Steps 3 and 4: what does a collision in the error handler do in an outage?"""

# The same source runs in both, beside the same foreign module; only `COROGUARD_MODE`
# differs.

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from coroguard.demo.story.logs import SEED_ERROR, last_error, leak_block
from coroguard.demo.story.stage import USERS, answers, refuses

if TYPE_CHECKING:
    from coroguard.demo.client import ChatClient
    from coroguard.demo.story.stage import Stage

__all__ = ["TITLE_OFF", "TITLE_ON", "run_off", "run_on"]

TITLE_OFF = "the outage: PostgreSQL is killed, COROGUARD_MODE=off"
TITLE_ON = "the same outage, COROGUARD_MODE=enforce"
_CHECK = "validate_websocket_component_health"

Reply = list[dict[str, Any]] | ConnectionClosed


async def run_off(stage: Stage) -> None:
    """Show how the handler dies, and every connection with it."""
    service, result = stage.cast.collision_off, stage.result
    async with stage.users(service) as clients:
        before = await _everyone_says(clients, "all is well")
        _kill_postgres(stage)
        during = await _everyone_says(clients, "is anybody there?")
        stage.postgres.restart()
        after = await _everyone_says(clients, "and now?")
    log = service.log_text
    stage.screen.quote("log of the service", last_error(log))
    died = [reply for reply in during if isinstance(reply, ConnectionClosed)]
    if died:
        stage.screen.quote("what a client saw", str(died[0]))
    result.equal("before, everybody was answered", answers(before), USERS)
    result.equal("in the outage every connection died", len(died), USERS)
    lines = [line for line in log.splitlines() if line == SEED_ERROR]
    result.equal(f"the log says {SEED_ERROR!r} for each", len(lines), USERS)
    result.equal("afterwards nobody is left to answer", answers(after), 0)


async def run_on(stage: Stage) -> None:
    """Show that the guard names the leak, and that every connection lives on."""
    service, result = stage.cast.collision_on, stage.result
    async with stage.users(service) as clients:
        before = await _everyone_says(clients, "all is well")
        _kill_postgres(stage)
        during = await _everyone_says(clients, "is anybody there?")
        pongs = [await _ping(client) for client in clients]
        stage.postgres.restart()
        after = await _everyone_says(clients, "and now?")
    block = leak_block(service.log_text)
    frames = [reply[-1] for reply in during if isinstance(reply, list)]
    stage.screen.quote("log of the service", block)
    if frames:
        stage.screen.quote("what a client got", json.dumps(frames[0], indent=2))
    result.equal("before, everybody was answered", answers(before), USERS)
    told = [(frame["type"], frame.get("code")) for frame in frames]
    expected = [("error", "HEALTH_CHECK_LEAK")] * USERS
    result.equal("in the outage everybody got a structured frame", told, expected)
    parts = (
        f"coroutine {_CHECK!r}",
        "chat_probes.py:",
        "expected: HealthReport",
        "fix:",
    )
    result.contains("the log names the leak, its line and the fix", block, *parts)
    seed = service.log_text.count(SEED_ERROR)
    result.equal("the seed's error is nowhere in the log", seed, 0)
    result.equal("every socket stayed open", pongs, ["pong"] * USERS)
    again = answers(after)
    result.equal("and works again, now that PostgreSQL is back", again, USERS)


def _kill_postgres(stage: Stage) -> None:
    stage.postgres.kill()
    stage.result.equal(
        "PostgreSQL was killed: its port refuses", refuses(stage.postgres.port), True
    )


async def _everyone_says(clients: list[ChatClient], text: str) -> list[Reply]:
    return await asyncio.gather(*(_say(client, text) for client in clients))


async def _say(client: ChatClient, text: str) -> Reply:
    try:
        return await client.say(text)
    except ConnectionClosed as closed:
        return closed


async def _ping(client: ChatClient) -> str:
    try:
        await client.send(type="ping")
        return str((await client.receive())["type"])
    except ConnectionClosed:
        return "closed"
