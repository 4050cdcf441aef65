"""Users of the demo for Locust, each let in by a token of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import requests
from locust import between

from coroguard.gates.load import ChatUser

if TYPE_CHECKING:
    from collections.abc import Mapping


class DemoUser(ChatUser):
    """A user who stays connected and writes now and then."""

    answer = "agent_completed"
    greeting = "ready"
    timeout_s = 30.0
    wait_time = between(45, 75)

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._token = ""

    def headers(self) -> Mapping[str, str]:
        """Return the token, which is fetched once."""
        if not self._token:
            answer = requests.post(
                os.environ["BENCH_AUTH_URL"] + "/token",
                json={"user_id": self.user_id},
                headers={"authorization": f"Bearer {os.environ['BENCH_AUTH_SECRET']}"},
                timeout=30,
            )
            answer.raise_for_status()
            self._token = answer.json()["token"]
        return {"authorization": f"Bearer {self._token}"}

    def history(self) -> Mapping[str, Any]:
        """Return the frame that asks for the history."""
        return {"type": "history"}

    def remembered(self, frame: Mapping[str, Any]) -> list[str] | None:
        """Return what this user wrote, where the frame is the history."""
        if frame.get("type") != "history":
            return None
        return [it["text"] for it in frame["messages"] if it["role"] == "user"]
