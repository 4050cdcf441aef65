"""`coroguard demo`: its claims, its messages, and the end of all it started."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from coroguard.demo.backends.stack import Stack
from coroguard.demo.client import ChatClient
from coroguard.demo.errors import ConfigError

from .conftest import LIMITS, PATIENCE_S

MARK = "COROGUARD_TEST_RUN"
HOME = re.compile(r".*/coroguard-demo-[^/]+")
SERVERS = ("DATABASE_URL", "REDIS_URL", "AUTH_URL")


class Run:
    """One run of the command, and everything that it started."""

    def __init__(self, *arguments, **env):
        self._mark = uuid.uuid4().hex
        inherited = {k: v for k, v in os.environ.items() if k not in SERVERS}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "coroguard", "demo", *arguments],
            env={**inherited, **env, MARK: self._mark, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""
        self.homes = set()

    def until(self, words):
        """Read the output up to a line that has these words."""
        for line in self._process.stdout:
            self.output += line
            if words in line:
                return
        raise AssertionError(f"{words!r} never came:\n{self.output}")

    def end(self, how=None):
        """Let it end, or end it with a signal; return its exit code."""
        if how is not None:
            self._process.send_signal(how)
        self.output += self._process.communicate(timeout=250)[0]
        return self._process.returncode

    def living(self):
        """Return all living processes of this run; note where their servers work."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                home = HOME.match(process.cwd())
                marked = process.environ().get(MARK) == self._mark
                if marked and home:
                    self.homes.add(home[0])
                # Valkey writes its title over its environment, but works at home.
                if marked or (home and home[0] in self.homes):
                    found.append(process)
        return found

    def left_behind(self, *, patience_s=60.0):
        """Return what is alive after all had time to end."""
        until = time.monotonic() + patience_s
        while (left := self.living()) and time.monotonic() < until:
            time.sleep(0.02)
        return [" ".join(process.cmdline()) for process in left]


@pytest.fixture
def run():
    runs = []

    def run(*arguments, **env):
        runs.append(Run(*arguments, **env))
        return runs[-1]

    yield run
    for each in runs:
        for process in each.living():
            with suppress(psutil.Error):
                process.kill()


def test_every_step_happens_as_described(run):
    """The command shows the outage, the error and the twin, and exits with 0."""
    demo = run()
    code = demo.end()
    assert code == 0, demo.output
    for words in (
        "AttributeError: 'coroutine' object has no attribute 'get'",
        "CoroutineLeakError: component_health() let a coroutine escape",
        "leaked:   coroutine 'validate_websocket_component_health' (async def, ",
        "in the outage every connection died",
        '"code": "HEALTH_CHECK_LEAK"',
        "leaked:   coroutine 'RedisManager.is_connected' (async def, ",
        "validate_websocket_component_health is bound twice in coroguard.demo",
        "so the service did not start",
        'coroguard_leaks_total{function="component_health",kind="returned"} 20.0',
        "title: Coroutine leak in component_health",
        "its token replays it",
        "all 8 steps happened as described",
    ):
        assert words in demo.output, demo.output
    assert "✗" not in demo.output
    assert re.search(r"chat turns per second +\d+ \(\d+ to \d+\)", demo.output)
    assert demo.left_behind(patience_s=0) == []


def test_nothing_is_left_after_ctrl_c(run):
    """Ctrl-C ends all that was started so far, and removes what it wrote."""
    demo = run()
    demo.until("starting")
    until = time.monotonic() + 60
    while len(demo.living()) < 8 and time.monotonic() < until:
        time.sleep(0.01)
    assert demo.end(signal.SIGINT) == 130, demo.output
    assert demo.left_behind() == []
    assert [Path(home).exists() for home in demo.homes] == [False]


def test_nothing_is_left_when_the_command_is_killed(run):
    """The servers of a command that had no time to clean up end all the same."""
    demo = run("--serve")
    demo.until("Ctrl-C ends it")
    demo.living()  # which notes where the servers work
    names = set()
    for process in demo.living():
        with suppress(psutil.Error):  # it has ended meanwhile
            names.add(process.name())
    assert {"valkey-server", "postgres"} <= names
    assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    assert demo.left_behind() == []
    shutil.rmtree(demo.homes.pop())  # nobody was left to do it


async def test_serve_prints_how_to_talk_to_it(run):
    """What `--serve` prints works: the address, the token and the health check."""
    demo = run("--serve", **LIMITS)
    demo.until("Ctrl-C ends it")
    address = re.search(r"chat +(ws://\S+)/ws", demo.output)[1]
    token = re.search(r"token +(\S+)", demo.output)[1]
    assert f" -m websockets '{address}/ws?token={token}'" in demo.output
    health = re.search(r"curl -s (\S+)", demo.output)[1]
    answer = httpx.get(health, trust_env=False, timeout=PATIENCE_S)
    assert answer.json()["status"] == "pass"
    service = address.replace("ws", "http", 1)
    async with ChatClient(service, token, patience_s=PATIENCE_S) as client:
        assert (await client.receive())["type"] == "ready"
        assert (await client.ask("hello"))[-1]["type"] == "agent_completed"
    assert demo.end(signal.SIGINT) == 130
    assert demo.left_behind() == []


def test_the_demonstration_needs_no_utf8(run):
    """In an ASCII locale the demonstration ends as it does elsewhere."""
    demo = run(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert demo.end() == 0, demo.output
    assert "+ PostgreSQL was killed: its port refuses" in demo.output


def test_a_wrong_address_is_refused_with_the_fix(run):
    """A wrong address ends the command with 2 and one line that helps."""
    demo = run(DATABASE_URL="mysql://u:hunter2@127.0.0.1/x")
    assert demo.end() == 2
    (message,) = demo.output.splitlines()[1:]
    assert message.startswith("DATABASE_URL starts with 'mysql', not postgresql")
    assert "set DATABASE_URL=" in message
    assert "hunter2" not in demo.output


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/x"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0"),
        ("AUTH_URL", "http://127.0.0.1:1"),
    ],
)
def test_an_address_where_nobody_answers_is_refused_with_the_fix(name, url):
    """Where nobody answers, nothing is started, and the message has the fix."""
    with pytest.raises(ConfigError) as refused, Stack({name: url}):
        raise AssertionError("nothing to talk to")
    message = str(refused.value)
    assert message.startswith(f"{name} cannot be reached: ")
    assert f"set {name}=" in message
    assert "hunter2" not in message


def test_nothing_is_left_when_the_work_fails(stack):
    """A block that fails ends what its servers started, while its process goes on."""
    database = {"DATABASE_URL": stack.addresses["DATABASE_URL"]}
    own = Stack(database)

    def work():
        with own:
            assert own.valkey.process.running
            assert own.auth.process.running
            raise KeyError

    with pytest.raises(KeyError):
        work()
    servers = [own.valkey.process, own.auth.process]
    assert [server.running for server in servers] == [False, False]
    assert not own.home.exists()


def test_servers_of_somebody_else_are_used(run, stack):
    """With addresses of existing servers the service runs on those and spares them."""
    limits = {**LIMITS, **stack.addresses}
    demo = run("--serve", **limits, AUTH_CLIENT_SECRET=stack.auth_secret)
    demo.until("Ctrl-C ends it")
    assert "(200 now)" in demo.output
    assert demo.end(signal.SIGTERM) == 143
    assert demo.left_behind() == []
    assert stack.postgres.process.running
