"""The work of `coroguard demo`, which leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import sys
import time
import uuid

import httpx

from coroguard.demo.backends.stack import Stack
from coroguard.demo.client import websocket_url
from coroguard.demo.errors import ConfigError, StartError
from coroguard.demo.story.run import run
from coroguard.demo.story.screen import Screen
from coroguard.gates.signals import ended_by_signals


def demo(*, serve: bool) -> int:
    """Run the demonstration, or a healthy service; return the exit code.

    Args:
        serve: Serve until a signal comes, without any outage.

    Returns:
        0 when every step happened as described, 1 when one did not, 2 when an
        address is wrong, 3 when a server did not come up, 128 + n when signal n came.
    """
    screen = Screen()
    try:
        with ended_by_signals():
            screen.line("starting PostgreSQL, Valkey, an auth service and the chat ...")
            with Stack() as stack:
                return _serve(stack, screen) if serve else run(stack, screen)
    except ConfigError as wrong:
        screen.line(str(wrong), style="red")
        return 2
    except StartError as failed:
        screen.line(str(failed), style="red")
        return 3


def _serve(stack: Stack, screen: Screen) -> int:
    service = stack.chat("chat", mode="enforce")
    service.wait_ready()
    token = stack.token(str(uuid.uuid4()))
    url = websocket_url(service.url, token=token)
    health = httpx.get(f"{service.url}/health", trust_env=False)
    screen.line(f"chat    {websocket_url(service.url)}", style="bold")
    screen.line(f"health  {service.url}/health  ({health.status_code} now)")
    screen.line(f"token   {token}")
    screen.line()
    screen.line("talk to it (one line, one message):")
    screen.line(f"  {_python()} -m websockets '{url}'")
    screen.line("ask how it is:")
    screen.line(f"  curl -s {service.url}/health")
    screen.line()
    screen.line("Ctrl-C ends it and everything it started.")
    while service.process.running:
        time.sleep(0.2)
    raise StartError(f"the chat service ended:\n{service.process.last_words()}")


def _python() -> str:
    """Return the shell's name of the interpreter that runs this."""
    beside = os.path.relpath(sys.executable)
    return shlex.quote(sys.executable if beside.startswith("..") else beside)
