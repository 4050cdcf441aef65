"""Steps 3 and 4: a collision in the error handler, met in an outage."""

# The same source runs in both, beside the same foreign module; only `COROGUARD_MODE`
# differs.

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from coroguard.demo.client import ChatClient, answered, connect_all
from coroguard.demo.story.evidence import (
    SEED_ERROR,
    Claim,
    contains,
    equal,
    kill,
    labelled_lines,
    last_error,
)

if TYPE_CHECKING:
    from coroguard.demo.backends.postgres import Postgres
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.story.screen import Screen

# A traceback names the error with the module that defines it.
LEAK = r"coroguard(\.\w+)?\.CoroutineLeakError: "
_CHECK = "validate_websocket_component_health"

Reply = list[dict[str, Any]] | BaseException


@dataclass(frozen=True, slots=True)
class Outage:
    """The answers that users of a service got before, during and after an outage.

    Args:
        claims: That all was well before, and PostgreSQL gone then.
        during: Each user's frames, or the error of the connection.
        pongs: Each user's answer to a ping, also during the outage.
        answered_after: How many users were answered when PostgreSQL was back.
    """

    claims: list[Claim]
    during: list[Reply]
    pongs: list[str]
    answered_after: int


async def run_off(
    service: PythonService, tokens: Sequence[str], postgres: Postgres, screen: Screen
) -> list[Claim]:
    """Show that the handler fails, and every connection with it."""
    outage = await _outage(service, tokens, postgres)
    log = service.log_text
    screen.quote("log of the service", last_error(log))
    died = [reply for reply in outage.during if isinstance(reply, ConnectionClosed)]
    if died:
        screen.quote("what a client saw", str(died[0]))
    errors, users = log.splitlines().count(SEED_ERROR), len(tokens)
    return [
        *outage.claims,
        equal("in the outage every connection died", len(died), users),
        equal(f"the log has {SEED_ERROR!r} for each", errors, users),
        equal("afterwards nobody is left to answer", outage.answered_after, 0),
    ]


async def run_on(
    service: PythonService, tokens: Sequence[str], postgres: Postgres, screen: Screen
) -> list[Claim]:
    """Show that the guard names the leak, and that every connection lives on."""
    outage = await _outage(service, tokens, postgres)
    log, users = service.log_text, len(tokens)
    leak = labelled_lines(log, LEAK)
    frames = [reply[-1] for reply in outage.during if isinstance(reply, list)]
    screen.quote("log of the service", leak)
    if frames:
        screen.quote("what a client got", json.dumps(frames[0], indent=2))
    codes = Counter(frame.get("code") for frame in frames)
    expected = {"HEALTH_CHECK_LEAK": users}
    named = (f"coroutine {_CHECK!r}", "chat_probes.py:", "expected: HealthReport")
    after = outage.answered_after
    return [
        *outage.claims,
        equal("in the outage everybody got a structured frame", dict(codes), expected),
        contains("the log names the leak, its line and the fix", leak, *named, "fix:"),
        equal("the seed's error is nowhere in the log", log.count(SEED_ERROR), 0),
        equal("every socket stayed open", outage.pongs, ["pong"] * users),
        equal("and works again, now that PostgreSQL is back", after, users),
    ]


async def _outage(
    service: PythonService, tokens: Sequence[str], postgres: Postgres
) -> Outage:
    """Kill PostgreSQL while users chat, and start it again."""
    async with connect_all(service.url, tokens) as clients:
        before = await _ask_all(clients, "all is well")
        killed = kill(postgres)
        during = await _ask_all(clients, "is anybody there?")
        pongs = [await _ping(client) for client in clients]
        postgres.restart()
        after = await _ask_all(clients, "and now?")
    well = sum(map(answered, before))
    return Outage(
        claims=[killed, equal("before, everybody was answered", well, len(tokens))],
        during=during,
        pongs=pongs,
        answered_after=sum(map(answered, after)),
    )


async def _ask_all(clients: Sequence[ChatClient], text: str) -> list[Reply]:
    """Return each user's frames, or the error instead of them."""
    asking = (client.ask(text) for client in clients)
    return await asyncio.gather(*asking, return_exceptions=True)


async def _ping(client: ChatClient) -> str:
    try:
        await client.send(type="ping")
        return str((await client.receive())["type"])
    except ConnectionClosed:
        return "closed"
