"""A small chat service, and a project that puts it under load."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

#: Below no run ends by itself, so that only a dead program meets it.
DEADLINE_S = 110

LOADFILE = """
from locust import constant

from coroguard.gates.load import ChatUser, HealthUser


class Health(HealthUser):
    wait_time = constant(0.1)


class Chat(ChatUser):
    wait_time = constant(0.1)
    weight = 3
"""
CONFIG = """
[tool.coroguard.gates.load]
rule = "a message is answered, whatever the load"
[tool.coroguard.gates.load.load]
users = 8
spawn_rate = 100
duration_s = {duration_s}
minimum = {{ requests = 10 }}
recovery_s = 0.5
report_html = "load.html"
report_json = "load.json"
{more}
"""


@dataclass
class LoadProject:
    """A folder with a load file and its criteria, and a service to load."""

    root: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, more: str = "", *, duration_s: int = 3) -> None:
        (self.root / "loadfile.py").write_text(LOADFILE)
        config = CONFIG.format(more=more, duration_s=duration_s)
        (self.root / "pyproject.toml").write_text(config)

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> tuple[int, str]:
        with self.start(*command) as process:
            out, _ = process.communicate(timeout=DEADLINE_S)
        return process.returncode, out


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, list[str]]]:
    """The address of a service, and the texts that it has answered."""
    # Not imported: Locust would replace the sockets of this process.
    for needed in ("locust", "websocket", "starlette", "uvicorn", "websockets"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    from coroguard.gates.ready_made import serve

    answered: list[str] = []

    async def health(_request: object) -> PlainTextResponse:
        return PlainTextResponse("up")

    async def metrics(_request: object) -> PlainTextResponse:
        return PlainTextResponse("# TYPE coroguard_leaks_total counter\n")

    async def chat(user: WebSocket) -> None:
        await user.accept()
        try:
            while True:
                text = (await user.receive_json())["text"]
                answered.append(text)
                await user.send_json({"type": "answer", "text": f"You wrote {text}"})
        except WebSocketDisconnect:
            pass

    routes = [
        Route("/health", health),
        Route("/metrics", metrics),
        WebSocketRoute("/ws", chat),
    ]
    with serve(Starlette(routes=routes)) as url:
        yield url, answered


@pytest.fixture
def loaded(tmp_path: Path, service: tuple[str, list[str]]) -> LoadProject:
    """A project without a gate's or a worker's variables in its environment."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COROGUARD_", "LOCUST_", "GITHUB_", "PYTHON"))
    }
    environment |= {"COLUMNS": "80", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return LoadProject(tmp_path, service[0], environment)


@pytest.fixture
def free_port() -> str:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])
