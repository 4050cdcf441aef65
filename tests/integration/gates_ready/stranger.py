"""A small chat service that coroguard knows nothing of, with one flaw or none."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from coroguard.gates.ready_made import ChatScript, ChatService, Harm, serve


class Stranger:
    """The service, its database that can be away, and its flaw."""

    def __init__(self, flaw):
        self.flaw = flaw
        self.is_up = True
        self.kept = {}
        self.count = itertools.count(1)
        self.app = Starlette(routes=[WebSocketRoute("/chat", self.chat)])
        self.harm = Harm("database down", self.go_down, self.come_back)

    def go_down(self):
        self.is_up = False

    def come_back(self):
        self.is_up = True

    def check(self, *_args):
        """The health check."""
        up = self.is_up or self.flaw == "blind"
        found = {"status": "healthy"} if up else {"status": "failed", "error": "down"}
        return {
            "healthy": up,
            "failed_components": [] if up else ["database"],
            "component_details": {"database": found},
            "error_suggestions": [],
            "timestamp": datetime.now(UTC),
            "summary": "",
        }

    async def chat(self, socket):
        """Serve one user."""
        await socket.accept()
        user = socket.headers.get("x-user")
        if user is None and self.flaw != "open door":
            await socket.close(4401)
            return
        try:
            while True:
                await self.answer(socket, user, await socket.receive_json())
        except WebSocketDisconnect:
            return

    async def answer(self, socket, user, frame):
        """Serve one frame."""
        if frame["type"] == "history":
            texts = [text for _, text in self.kept.get(user, [])]
            await socket.send_json({"type": "history", "texts": texts})
        elif not self.is_up:
            await self.refuse(socket)
        else:
            self.keep(user, frame)
            events = ["thinking", "answer"]
            if self.flaw == "out of order":
                events.insert(0, "thinking")
            for event in events:
                text = f"you said {frame['text']}"
                await socket.send_json({"type": event, "text": text})

    def keep(self, user, frame):
        """Keep a message once, unless the flaw has it otherwise."""
        entry = (frame["id"], frame["text"])
        mine = self.kept.setdefault(user, [])
        again = self.flaw == "doubled" and next(self.count) % 7 == 0
        if self.flaw == "lost" and next(self.count) % 7 == 0:
            return
        if self.flaw == "crossed" and next(self.count) % 7 == 0:
            mine = next(iter(self.kept.values()))
        if entry not in mine or again:
            mine.append(entry)
        if again:
            mine.append(entry)

    async def refuse(self, socket):
        """Report that the database is away."""
        message = "the database is down"
        match self.flaw:
            case "hangs":
                return
            case "crashes":
                await socket.close(1011)
            case "unstructured":
                await socket.send_json({"type": "error"})
            case "traceback":
                text = "Traceback (most recent call last): ..."
                await socket.send_json({"type": "error", "message": text})
            case "leaks":
                text = "'coroutine' object has no attribute 'get'"
                await socket.send_json({"type": "error", "message": text})
            case _:
                await socket.send_json({"type": "error", "message": message})


@contextmanager
def served(stranger):
    """The service on a real socket, and how to talk to it."""
    script = ChatScript(
        path="/chat",
        events=["thinking", "answer"],
        headers=lambda user: {"x-user": user},
        history={"type": "history"},
        remembered=lambda frame: frame["texts"],
    )
    # Only a service that hangs is waited for to the end.
    slack_s = 0.7 if stranger.flaw == "hangs" else 60.0
    with serve(stranger.app) as url:
        yield ChatService(url=url, script=script, deadline_s=0.3, slack_s=slack_s)
