"""The error that could not be reproduced: found by schedules, and replayed."""

# The service's own error handler, in this process. It only runs when the client leaves
# while an answer is under way, which in asyncio's own order never happens here.

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coroguard import mode
from coroguard.demo import websocket_core
from coroguard.demo.context import UserExecutionContext
from coroguard.demo.error_handler import failure_frame
from coroguard.demo.errors import ComponentUnavailable
from coroguard.demo.manager_factory import WebSocketManager
from coroguard.demo.story.evidence import SEED_ERROR, Claim, contains, equal
from coroguard.testing import async_twin, health_report
from coroguard.testing.schedules import explore, replay

if TYPE_CHECKING:
    from coroguard.demo.story.screen import Screen
    from coroguard.testing.schedules import Failure, Replay

_CHECK = "validate_websocket_component_health"
_RUNS = 200
_QUIET = ("coroguard.demo.chat", "coroguard.leak")


async def run(screen: Screen) -> list[Claim]:
    """Look for the error, replay it, and replay it with the guard and the fix."""
    # In a thread: each run has a loop of its own.
    return await asyncio.to_thread(_find, screen)


def _find(screen: Screen) -> list[Claim]:
    with _deployed(collides=True), mode("off"):
        usual = explore(_conversation, runs=1)
        failure = explore(_conversation, runs=_RUNS).failure
        if failure is None:
            return [equal(f"one of {_RUNS} schedules shows the error", failure, True)]
        again = replay(_conversation, failure.token)
    with _deployed(collides=True), mode("enforce"):
        guarded, codes = _replayed(failure)
    with _deployed(collides=False):
        corrected, answers = _replayed(failure)
        anywhere = explore(_conversation, runs=_RUNS)
    screen.quote("coroguard.testing.schedules, COROGUARD_MODE=off", str(failure))
    seen = f"{type(failure.error).__name__}: {failure.error}"
    return [
        equal("in asyncio's own order it does not happen", usual.failure, None),
        equal(f"one of {_RUNS} schedules shows it", seen, SEED_ERROR),
        contains("the two steps that had to swap are named", str(failure), "rare.py:"),
        equal("its token replays it", str(again), "reproduced 5 of 5"),
        equal("with the guard, the token replays no crash", guarded.reproduced, 0),
        equal("but a structured frame", codes, {"HEALTH_CHECK_LEAK"}),
        equal("with the fix, it replays nothing", corrected.reproduced, 0),
        equal("the handler answers as it should", answers, {"COMPONENT_UNAVAILABLE"}),
        equal(f"and no schedule of {_RUNS} fails", anywhere.failure, None),
    ]


def _replayed(failure: Failure) -> tuple[Replay, set[str]]:
    """Replay the schedule, and return the codes of the error frames."""
    codes: set[str] = set()

    async def conversation() -> None:
        codes.update((await _conversation()).codes)

    return replay(conversation, failure.token), codes


@dataclass
class _Socket:
    """A connection whose client leaves after a while.

    Args:
        sent: What the client was sent while it was there.
        codes: The codes of the error frames that could not be delivered.
    """

    is_open: bool = True
    sent: list[str] = field(default_factory=list[str])
    codes: list[str] = field(default_factory=list[str])

    async def send_text(self, data: str) -> None:
        await asyncio.sleep(0)
        if not self.is_open:
            raise ComponentUnavailable("client", "it has left", code="CLIENT_LEFT")
        self.sent.append(data)


async def _conversation() -> _Socket:
    """Answer a client that leaves a little later."""
    socket = _Socket()
    context = UserExecutionContext(*(str(uuid.uuid4()) for _ in range(5)))
    manager = WebSocketManager(context, socket)

    async def answer() -> None:
        try:
            for number in range(3):
                await manager.send({"type": "agent_chunk", "number": number})
        except ComponentUnavailable as failure:
            frame = await failure_frame(failure, context)
            socket.codes.append(frame["code"])

    async def leave() -> None:
        for _ in range(8):
            await asyncio.sleep(0)
        socket.is_open = False

    answering = asyncio.create_task(answer(), name="answer")
    await asyncio.gather(answering, asyncio.create_task(leave(), name="leave"))
    return socket


def _own_check(_user_context: UserExecutionContext | None = None) -> dict[str, Any]:
    return health_report(failed_components=["client"])


@contextmanager
def _deployed(*, collides: bool) -> Generator[None]:
    """Make the handler find our check, or an async one of the same name.

    Hundreds of runs would log the same lines, and warn of the same coroutine.
    """
    made: list[Coroutine[Any, Any, Any]] = []
    twin = async_twin(_own_check)

    def collided(user_context: UserExecutionContext | None) -> Any:
        made.append(twin(user_context))
        return made[-1]

    own = getattr(websocket_core, _CHECK)
    setattr(websocket_core, _CHECK, collided if collides else _own_check)
    loggers = [logging.getLogger(name) for name in _QUIET]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
        setattr(websocket_core, _CHECK, own)
        for coroutine in made:
            coroutine.close()
