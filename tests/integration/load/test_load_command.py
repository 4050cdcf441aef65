"""`coroguard load`, with real users, workers and a real service."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack

import pytest

from coroguard.gates.readiness import ExitCode

DEADLINE_S = 110
FAULT = """
metrics = "METRICS"
[[tool.coroguard.gates.load.load.faults]]
name = "outage"
begin = "touch on"
end = "touch off"
at_s = 1
for_s = 0.5
"""


@pytest.fixture
def workers(loaded, free_port):
    """Two workers of plain Locust that connect to the master on a free port."""
    command = ("locust", "-f", "loadfile.py", "--worker", "--master-port", free_port)

    with ExitStack() as opened:

        def start():
            started = [opened.enter_context(loaded.start(*command)) for _ in range(2)]
            # Killed before they are waited for.
            opened.callback(lambda: [worker.kill() for worker in started])
            return started

        yield start


def master(loaded, free_port):
    bind = ("--workers", "2", "--bind", f"127.0.0.1:{free_port}")
    return loaded.start("coroguard", "load", "--host", loaded.url, *bind)


def test_a_master_and_two_workers(loaded, workers, free_port):
    """A run on several workers ends as a verdict, with a report and a plot."""
    # Long enough for a fault that begins and ends seconds late on a busy machine.
    more = FAULT.replace("METRICS", f"{loaded.url}/metrics")
    loaded.configure(more, duration_s=10)
    workers()
    with master(loaded, free_port) as command:
        out, _ = command.communicate(timeout=DEADLINE_S)
    assert (command.returncode, "load: PASSED" in out) == (ExitCode.READY, True), out
    report = json.loads((loaded.root / "load.json").read_text())
    assert (report["verdict"], report["workers"], report["users"]) == ("PASSED", 2, 8)
    assert sorted(report["names"]) == ["GET /health", "chat"]
    assert [fault["name"] for fault in report["faults"]] == ["outage"]
    assert (loaded.root / "on").exists()
    assert (loaded.root / "off").exists()
    page = (loaded.root / "load.html").read_text()
    assert 'class="fault"' in page
    assert 'class="p95"' in page


def test_a_worker_that_is_lost(loaded, workers, free_port, service):
    """A worker that dies leaves the run INCOMPLETE, though no request failed."""
    loaded.configure()
    answered = len(service[1])
    started = workers()
    with master(loaded, free_port) as command:
        until = time.monotonic() + DEADLINE_S
        while len(service[1]) == answered and time.monotonic() < until:
            time.sleep(0.01)
        started[0].kill()
        out, _ = command.communicate(timeout=DEADLINE_S)
    assert command.returncode == ExitCode.INCOMPLETE, out
    assert "1 of 2 workers were lost" in out


def test_a_user_who_waits_answers_pings(loaded):
    """A ping between two messages is answered, so that no server closes the socket."""
    from websockets.sync.server import serve

    answered = threading.Event()

    def chat(connection):
        text = json.loads(connection.recv())["text"]
        connection.send(json.dumps({"type": "answer", "text": text}))
        if connection.ping().wait(DEADLINE_S):
            answered.set()

    loaded.configure()
    file = loaded.root / "loadfile.py"
    file.write_text(file.read_text().replace("constant(0.1)", "constant(1000)"))
    with serve(chat, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = "http://{}:{}".format(*server.socket.getsockname())
        command = ("locust", "-f", "loadfile.py", "--headless", "--host", host, "Chat")
        with loaded.start(*command) as users:
            found = answered.wait(DEADLINE_S)
            users.kill()
        server.shutdown()
    assert found


def test_plain_locust_is_honest_too(loaded, free_port):
    """Users that cannot start leave plain Locust with 4, where it would exit with 1."""
    loaded.configure()
    code, out = loaded.run(
        "locust", "-f", "loadfile.py", "--headless", "-u", "2", "-t", "1s",
        "--host", f"http://127.0.0.1:{free_port}", "Chat",
    )  # fmt: skip
    assert code == ExitCode.INCOMPLETE, out
    assert "INCOMPLETE: 0 requests, at least 1" in out


def test_a_load_that_is_asked_for_wrongly(loaded):
    """Without an address, a load file or such a gate, nothing is run."""
    loaded.configure()
    for options, reason in (
        ((), "name the address of the service with --host"),
        (("nothing.py", "--host", loaded.url), "nothing.py does not exist"),
        (("--gate", "laod"), "Did you mean 'load'?"),
    ):
        code, out = loaded.run("coroguard", "load", *options)
        assert (code, reason in out) == (ExitCode.CONFIGURATION, True), out
