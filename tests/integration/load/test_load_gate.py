"""A gate that puts a service under load, and the slow path that it is there for."""

from __future__ import annotations

import json

from readiness_document import ReadinessDocument

from coroguard.gates.readiness import ExitCode

SERVICE = """
import asyncio, os

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

slow = asyncio.Lock()

async def chat(user):
    await user.accept()
    try:
        while True:
            text = (await user.receive_json())["text"]
            if os.environ.get("COROGUARD_PLANT") == "one at a time":
                # One user notices nothing; of many each waits for all others.
                async with slow:
                    await asyncio.sleep(0.3)
            await user.send_json({"type": "answer", "text": text})
    except WebSocketDisconnect:
        pass

app = Starlette(routes=[WebSocketRoute("/ws", chat)])
"""
TESTS = """
import pytest
from service import app

from coroguard.gates.load import load_gate
from coroguard.gates.ready_made import serve

@pytest.mark.gate("load")
def test_load(gate_record):
    with serve(app) as url:
        load_gate(gate_record, "load", url=url)
"""
CONFIG = """
[tool.pytest.ini_options]
pythonpath = ["."]
[tool.coroguard]
self_test = { "one at a time" = ["load"] }
[tool.coroguard.gates.load]
rule = "a message is answered soon, whatever the load"
tests = ["test_load.py"]
minimum = { requests = 20, users = 8 }
[tool.coroguard.gates.load.load]
users = 8
spawn_rate = 100
duration_s = 4
p95_ms = { chat = 1500 }
"""


def test_a_slow_path_that_only_load_shows(loaded):
    """The gate is green, and the planted slow path turns it red by its percentile."""
    loaded.configure()
    (loaded.root / "pyproject.toml").write_text(CONFIG)
    (loaded.root / "service.py").write_text(SERVICE)
    (loaded.root / "test_load.py").write_text(TESTS)
    load_file = loaded.root / "loadfile.py"
    load_file.write_text(load_file.read_text().partition("class Health")[0] + CHAT)
    code, out = loaded.run("coroguard", "gate", "--self-test", "--json", "ready.json")
    assert code == ExitCode.READY, out
    report = json.loads((loaded.root / "ready.json").read_text())
    ReadinessDocument.model_validate(report)
    (plant,) = report["self_test"]["plants"]
    assert plant["caught"]
    assert "chat p95" in plant["reason"]
    (gate,) = report["gates"]
    assert gate["amounts"]["requests"]["done"] >= 20
    assert {measure["name"] for measure in gate["measures"]} >= {"chat p95"}


CHAT = """
class Chat(ChatUser):
    wait_time = constant(0)
"""
