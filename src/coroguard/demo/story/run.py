"""The order of the steps, and the exit code they add up to."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from coroguard.demo.errors import ConfigError
from coroguard.demo.receiver import Receiver
from coroguard.demo.story import alarm, audit, chat, cost, outage, rare, silent
from coroguard.demo.story.evidence import Claim

if TYPE_CHECKING:
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.backends.stack import Stack
    from coroguard.demo.story.screen import Screen

_USERS = 20
_STEP_TIMEOUT_S = 120
# Nothing here stays silent, so these only have to outlast a busy machine.
_DEADLINES = {"CHAT_DEADLINE_S": "5", "CHAT_HEALTH_DEADLINE_S": "5"}

#: A title, and the function that takes the step and returns its claims.
Step = tuple[str, Callable[[], Awaitable[list[Claim]]]]


def run(stack: Stack, screen: Screen) -> int:
    """Run the demonstration; return 0 only when every claim is true.

    Raises:
        ConfigError: The servers are not the stack's own, and must not be killed.
    """
    with screen.progress, Receiver() as receiver:
        return run_steps(_steps(stack, receiver, screen), screen)


def run_steps(steps: Sequence[Step], screen: Screen) -> int:
    """Run the steps in order, show their claims, and return 0 or 1."""
    started = time.perf_counter()
    count = 0
    failed: list[int] = []
    for number, (title, step) in enumerate(steps, 1):
        screen.title(number, len(steps), title)
        claims = asyncio.run(_attempt(step))
        screen.claims(claims)
        count += len(claims)
        if not all(claim.held for claim in claims):
            failed.append(number)
    screen.line()
    if failed:
        numbers = ", ".join(map(str, failed))
        screen.line(f"did not happen as described: step {numbers}", style="bold red")
        return 1
    evidence = f"{count} claims in {time.perf_counter() - started:.1f} s"
    text = f"all {len(steps)} steps happened as described: {evidence}"
    screen.line(text, style="bold green")
    return 0


async def _attempt(step: Callable[[], Awaitable[list[Claim]]]) -> list[Claim]:
    """Return the claims of a step; an error, or no claim, is a claim that failed."""
    try:
        async with asyncio.timeout(_STEP_TIMEOUT_S):
            claims = await step()
    except Exception as error:
        return [Claim("the step ran to its end", held=False, seen=repr(error)[:300])]
    return claims or [Claim("the step claimed something", held=False, seen="nothing")]


def _steps(stack: Stack, receiver: Receiver, screen: Screen) -> list[Step]:
    """Start the chat services of all steps, and return the steps.

    The services run the same source. They differ in ``COROGUARD_MODE`` and in the
    module of another team that is deployed beside them.
    """
    postgres, valkey = stack.postgres, stack.valkey
    if postgres is None or valkey is None:
        raise ConfigError(
            "the demonstration kills PostgreSQL and Valkey, and those of DATABASE_URL "
            "and REDIS_URL are not its own; run env -u DATABASE_URL -u REDIS_URL "
            "coroguard demo, or coroguard demo --serve to chat with yours"
        )

    # A proxy of the machine must not get what is sent to loopback.
    to_receiver = {"COROGUARD_ALERT_URL": receiver.url, "NO_PROXY": "127.0.0.1"}
    variables = {**_DEADLINES, **to_receiver}

    def chats(name: str, *modes: str, twin: str | None = None) -> list[PythonService]:
        return [
            stack.chat(f"{name}-{it}", mode=it, twin=twin, env=variables)
            for it in modes
        ]

    off, on = plain = chats("plain", "off", "enforce")
    blind, guarded = collision = chats("collision", "off", "enforce", twin=audit.TWIN)
    twins = chats("silent", "off", "enforce", "strict", twin="silent_check")
    tokens = [stack.token(str(uuid.uuid4())) for _ in range(_USERS)]
    for service in (*plain, *collision, *twins):
        service.wait_ready()
    counted = alarm.leaks(guarded)
    return [
        (
            "before the service starts: coroguard audit",
            partial(audit.run, stack.addresses, screen),
        ),
        (
            f"{_USERS} users chat at once, guard on",
            partial(chat.run, on, tokens, screen),
        ),
        (
            "the outage: PostgreSQL is killed, COROGUARD_MODE=off",
            partial(outage.run_off, blind, tokens, postgres, screen),
        ),
        (
            "the same outage, COROGUARD_MODE=enforce",
            partial(outage.run_on, guarded, tokens, postgres, screen),
        ),
        (
            "the alarm of that outage: a metric rises, and an alert arrives",
            partial(alarm.run, guarded, counted, receiver, _USERS, screen),
        ),
        (
            "the silent twin: Valkey is killed, and `if not manager.is_connected()`",
            partial(silent.run, on, twins, valkey, screen),
        ),
        (
            "the error that could not be reproduced, in seeded schedules",
            partial(rare.run, screen),
        ),
        (
            "what a healthy run costs, with and without the guard",
            partial(cost.run, off, on, tokens, screen),
        ),
    ]
