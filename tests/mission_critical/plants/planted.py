"""Faults that are planted to prove that the gates see them.

None of them can happen without this folder: it is put before the chat service's own
modules, or loaded by a test's conftest, only where COROGUARD_PLANT names a fault.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

Put = Callable[[object, str, Any], object]

NAME = "validate_websocket_component_health"


def plant(name: str, put: Put = setattr) -> None:
    """Put a fault in place, by ``setattr`` or by what undoes it after a test."""
    FAULTS[name](put)


def health_returns_coroutine(put: Put) -> None:
    """The check's name resolves to a coroutine function."""
    from coroguard.demo import websocket_core
    from coroguard.demo.twins.async_check import chat_probes

    put(websocket_core, NAME, getattr(chat_probes, NAME))


def health_truth_tests_coroutine(put: Put) -> None:
    """The check asks a coroutine whether it is true."""
    from coroguard.demo import websocket_core
    from coroguard.demo.twins.silent_check import chat_probes

    put(websocket_core, NAME, getattr(chat_probes, NAME))


def swallowed_error(put: Put) -> None:
    """A turn that was broken off is not reported."""
    from coroguard.demo import app
    from coroguard.demo.errors import ComponentUnavailable

    async def survive(turn: Any, _session: Any, _websocket: Any) -> None:
        try:
            await turn
        except ComponentUnavailable:
            return

    put(app, "_survive", survive)


def lost_message(put: Put) -> None:
    """One message in ten is answered and not kept."""
    from coroguard.demo.database import ThreadStore

    keep, count = ThreadStore.keep, itertools.count(1)

    async def forget(self: ThreadStore, text: str, answer: str) -> None:
        if next(count) % 10:
            await keep(self, text, answer)

    put(ThreadStore, "keep", forget)


def crossed_message(put: Put) -> None:
    """One answer in ten goes to the user who was answered last."""
    from coroguard.demo.manager_factory import WebSocketManager

    send, count, latest = WebSocketManager.send, itertools.count(1), [None]

    async def mistake(self: WebSocketManager, frame: dict[str, Any]) -> None:
        to: Any = self
        if frame["type"] == "agent_completed":
            if not next(count) % 10:
                to = latest[0]
            latest[0] = self
        await send(to, frame)

    put(WebSocketManager, "send", mistake)


def database_ignored(put: Put) -> None:
    """The check reports a healthy database, whether or not it is."""
    from coroguard.demo import health

    async def fine(_environ: object) -> dict[str, Any]:
        return {"server": "PostgreSQL"}

    put(health, "LINKS", {**health.LINKS, "database": fine})


def handler_hangs(put: Put) -> None:
    """The error handler waits for something that never comes."""
    from coroguard.demo import app

    async def hang(_failure: object, _user_context: object) -> None:
        await asyncio.Event().wait()

    put(app, "failure_frame", hang)


def keys_fetched_twice(put: Put) -> None:
    """A user whose sign-in overlaps another one's fetches the keys again."""
    from coroguard.demo import tokens

    async def refresh(self: Any, _kid: str | None) -> None:
        fetching = tokens.fetch_keys(self._client, self._auth_url, self._deadline_s)
        self._keys = {key.key_id: key for key in (await fetching).keys}
        self._fetched_at = time.monotonic()

    put(tokens.TokenVerifier, "_refresh", refresh)


def one_at_a_time(put: Put) -> None:
    """The agent answers one user after another, each in a few tenths of a second."""
    from coroguard.demo.agent import Agent

    run, free = Agent.run, asyncio.Semaphore(1)

    async def wait_for_turn(self: Agent, text: str) -> AsyncIterator[dict[str, Any]]:
        async with free:
            await asyncio.sleep(0.4)
        async for event in run(self, text):
            yield event

    put(Agent, "run", wait_for_turn)


FAULTS = {
    function.__name__.replace("_", "-"): function
    for function in (
        health_returns_coroutine,
        health_truth_tests_coroutine,
        swallowed_error,
        lost_message,
        crossed_message,
        database_ignored,
        handler_hangs,
        keys_fetched_twice,
        one_at_a_time,
    )
}
