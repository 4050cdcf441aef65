"""The applications of the documentation under real servers, in every state."""

# All servers run at the same time and read their state from one file, so that each
# state costs one second of their memory and not one for each framework.

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 100.0
PAGES = Path(__file__).parents[3] / "docs" / "how-to"
BLOCK = re.compile(r"^```python title=\"(.+?)\"\n(.*?)^```$", re.M | re.S)
#: In the place of those of the documentation: the state is in a file.
CHECKS = """
import asyncio, os, pathlib

STATE = pathlib.Path(os.environ["STATE"])


async def is_connected():
    return False


async def check_database():
    state = STATE.read_text()
    if state == "leaking" and is_connected():
        return True
    if state == "hanging":
        await asyncio.sleep(3600)
    return state != "down"


def check_mail():
    return STATE.read_text() != "degraded"
"""
#: In an order in which each answer differs from the one before.
STATES = {
    "healthy": (200, "pass"),
    "down": (503, "fail"),
    "degraded": (200, "warn"),
    "leaking": (503, "fail"),
    "healthy again": (200, "pass"),
    "hanging": (503, "fail"),
}
#: What does not depend on the state, of a service whose database is down.
OTHERS = {
    "lengths": 1,
    "head": (503, b"", True),
    "post": (405, "GET, HEAD"),
    "text": (503, b"fail\n"),
    "odd": 503,
    "json": ["database"],
}
UVICORN = [sys.executable, "-m", "uvicorn", "--fd", "{fd}", "--log-level", "warning"]
GUNICORN = [sys.executable, "-m", "gunicorn", "--bind", "fd://{fd}", "--threads", "4"]
AIOHTTP = (
    "import socket; from aiohttp import web; from app import app; "
    "web.run_app(app, sock=socket.socket(fileno={fd}), print=None)"
)
#: The server of each framework, with the page of its application.
SERVERS = {
    "fastapi": ("fastapi", [*UVICORN, "app:app"]),
    "starlette": ("starlette", [*UVICORN, "app:app"]),
    "litestar": ("litestar", [*UVICORN, "app:app"]),
    "django wsgi": ("django", [*GUNICORN, "app:app"]),
    "django asgi": ("django", [*UVICORN, "--lifespan", "off", "app:asgi_app"]),
    "flask": ("flask", [*GUNICORN, "--preload", "--workers", "1", "app:app"]),
    "aiohttp": ("aiohttp", [sys.executable, "-c", AIOHTTP]),
}
GRPC = (
    "import asyncio, app; from functools import partial; "
    "asyncio.run(app.serve('127.0.0.1:0', partial(print, flush=True)))"
)


@dataclass
class Served:
    """A server, and what it answered in each state.

    Args:
        process: The server.
        port: Its port.
        answers: Status and word by state; ``None`` where the right one never came.
        log: What it wrote.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    answers: dict[str, tuple[int, str] | None] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def ask(port: int, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, "/health", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def until(
    expected: object, read: Callable[[], object], process: subprocess.Popen[bytes]
) -> Any:
    """Read until the expected answer comes; what was remembered comes before it."""
    ends = time.monotonic() + PATIENCE_S
    found: object = None
    while time.monotonic() < ends and process.poll() is None:
        try:
            found = read()
        except OSError:  # it does not listen yet
            found = None
        if found == expected:
            return found
        time.sleep(0.02)
    return found


def word(port: int) -> tuple[int, str]:
    status, headers, body = ask(port)
    assert headers["content-type"] == "application/health+json"
    assert headers["cache-control"] == "no-store"
    return status, json.loads(body)["status"]


def write_application(page: str, folder: Path) -> None:
    folder.mkdir()
    for name, text in BLOCK.findall((PAGES / f"health-endpoint-{page}.md").read_text()):
        (folder / name).write_text(text)
    (folder / "checks.py").write_text(CHECKS)


def start(page: str, command: list[str], folder: Path, state: Path) -> Served:
    write_application(page, folder)
    log = folder / "log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as out:
        process = subprocess.Popen(
            [it.replace("{fd}", str(listener.fileno())) for it in command],
            cwd=folder,
            env={**os.environ, "STATE": str(state), "PYTHONPATH": str(folder)},
            pass_fds=[listener.fileno()],
            stdout=out,
            stderr=out,
        )
        return Served(process, listener.getsockname()[1], log)


def has(name: str, command: list[str]) -> bool:
    """Return whether a framework and its server are installed."""
    modules = [name.split()[0], *(it for it in command if it.endswith("corn"))]
    return all(map(find_spec, modules))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    """Every server, with its answers in every state."""
    folder = tmp_path_factory.mktemp("served")
    state = folder / "state"
    state.write_text("healthy")
    known = {name: it for name, it in SERVERS.items() if has(name, it[1])}
    found: dict[str, Served] = {}
    try:
        for name, (page, command) in known.items():
            found[name] = start(page, command, folder / name.replace(" ", "_"), state)
        with ThreadPoolExecutor(len(known) or 1) as pool:
            for name, expected in STATES.items():
                new = folder / "new"
                new.write_text(name.removesuffix(" again"))
                new.rename(state)  # at once, so that no check reads half of it

                list(pool.map(partial(look, name, expected), found.values()))
        yield found
    finally:
        for it in found.values():
            it.process.terminate()
        for it in found.values():
            it.process.wait(PATIENCE_S)


def look(name: str, expected: tuple[int, str], it: Served) -> None:
    it.answers[name] = until(expected, lambda: word(it.port), it.process)
    if name == "down" and it.answers[name] == expected:
        it.others = until(OTHERS, lambda: other_answers(it.port), it.process)


def other_answers(port: int) -> dict[str, Any]:
    """Return what does not depend on the state, of a service that is down."""
    _, headers, _ = ask(port)
    length = headers["content-length"]
    head_status, head, empty = ask(port, "HEAD")
    posted, allowed, _ = ask(port, "POST")
    native = json.loads(ask(port, accept="application/json")[2])
    return {
        "lengths": len(headers.get_all("content-length")),
        "head": (head_status, empty, head["content-length"] == length),
        "post": (posted, allowed["allow"]),
        "text": ask(port, accept="text/plain")[::2],
        "odd": ask(port, accept="image/png")[0],
        "json": native["failed_components"],
    }


def answers_of(served: dict[str, Served], framework: str) -> Served:
    if framework not in served:
        pytest.skip(f"{framework.split()[0]} or its server is not installed")
    return served[framework]


@pytest.mark.slow(reason="starts the server of each framework")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("framework", SERVERS)
def test_state(served: dict[str, Served], framework: str, state: str) -> None:
    """The documented application answers with the status of its state."""
    it = answers_of(served, framework)
    assert it.answers[state] == STATES[state], it.log.read_text()[-3_000:]


@pytest.mark.slow(reason="starts the server of each framework")
@pytest.mark.parametrize("framework", SERVERS)
def test_other_methods_and_types(served: dict[str, Served], framework: str) -> None:
    """HEAD, POST and ``Accept`` are answered as the contract has it."""
    assert answers_of(served, framework).others == OTHERS


@pytest.mark.slow(reason="starts the server of each framework")
@pytest.mark.parametrize("framework", SERVERS)
def test_log(served: dict[str, Served], framework: str) -> None:
    """The log has the outage, and no server logs an error of its own."""
    log = answers_of(served, framework).log.read_text()
    assert "database failed: the check returned False" in log
    assert "Traceback" not in log
    assert "Service Unavailable" not in log


@pytest.mark.skipif(not find_spec("grpc_health"), reason="grpc is not installed")
@pytest.mark.slow(reason="starts a server of gRPC")
def test_grpc(tmp_path: Path) -> None:
    """The health service of gRPC follows the checks."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    state = tmp_path / "state"
    state.write_text("healthy")
    write_application("grpc", tmp_path / "app")
    with subprocess.Popen(
        [sys.executable, "-c", GRPC],
        cwd=tmp_path / "app",
        env={**os.environ, "STATE": str(state)},
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = health_pb2_grpc.HealthStub(channel)

                def status() -> str:
                    answer = stub.Check(health_pb2.HealthCheckRequest())
                    return health_pb2.HealthCheckResponse.ServingStatus.Name(
                        answer.status
                    )

                for name, (number, _) in STATES.items():
                    new = tmp_path / "new"
                    new.write_text(name.removesuffix(" again"))
                    new.rename(state)
                    right = "SERVING" if number == 200 else "NOT_SERVING"
                    assert until(right, status, process) == right
        finally:
            process.terminate()


@pytest.mark.parametrize("page", sorted({"grpc", *(it for it, _ in SERVERS.values())}))
def test_application_has_three_lines_of_coroguard(page: str) -> None:
    """The application of each page needs at most three lines for its endpoint."""
    text = (PAGES / f"health-endpoint-{page}.md").read_text()
    ours = 0
    for name, block in BLOCK.findall(text):
        if name not in ("checks.py", "urls.py", "app.py"):
            continue
        imported = re.findall(r"^from coroguard.* import (.+)$", block, re.M)
        names = {"coroguard", *(it for line in imported for it in line.split(", "))}
        ours += sum(any(it in line for it in names) for line in block.splitlines())
    assert 0 < ours <= 3
