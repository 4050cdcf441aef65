"""Events of Sentry, as its transport gets them."""

from __future__ import annotations

import gc
import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from coroguard import CoroutineLeakError, guard, mode
from coroguard.integrations.sentry import install

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


class Received(Transport):
    """A transport that keeps the events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Any) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(event)


@pytest.fixture(scope="module")
def transport() -> Iterator[Received]:
    """Sentry, with what it has to have, and no patch left behind."""
    made = Received()
    before = logging.Logger.callHandlers
    sentry_sdk.init(
        "http://key@127.0.0.1:9/1",
        transport=made,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(), DedupeIntegration()],
    )
    yield made
    logging.Logger.callHandlers = before  # type: ignore[method-assign]
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def events(transport: Received) -> Iterator[list[dict[str, Any]]]:
    transport.events.clear()
    uninstall = install()
    yield transport.events
    uninstall()
    DedupeIntegration.reset_last_seen()
    gc.collect()


async def twin() -> bool:
    return True


@guard(returns=Any, name="check_redis")
def leaky() -> Any:
    return {"connected": twin()}


def drop() -> None:
    twin()


def last_frame(event: dict[str, Any]) -> dict[str, Any]:
    frame: dict[str, Any] = event["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    return frame


def test_an_observed_leak_reaches_sentry(events: list[dict[str, Any]]) -> None:
    """It has its group, its level, tags, context, and a stack with the user's line."""
    with mode("observe"):
        leaky()["connected"].close()
    (event,) = events
    assert event["fingerprint"] == ["coroguard", "nested", "twin", "check_redis"]
    assert event["level"] == "warning"
    assert event["exception"]["values"][-1]["type"] == "CoroutineLeakError"
    assert event["tags"]["coroguard.kind"] == "nested"
    assert event["contexts"]["coroguard"]["path"] == "$.connected"
    frame = last_frame(event)
    assert (frame["function"], frame["module"]) == ("leaky", __name__)
    assert frame["lineno"] == inspect.getsourcelines(inspect.unwrap(leaky))[1]


def test_the_same_leak_is_one_group(events: list[dict[str, Any]]) -> None:
    """Each occurrence is an event, and they share a fingerprint."""
    with mode("observe"):
        for _ in range(2):
            leaky()["connected"].close()
        guard(returns=Any, name="other")(drop)()
    groups = [tuple(it["fingerprint"]) for it in events]
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize("between", [False, True])
def test_a_raised_leak_is_one_event(
    between: bool, events: list[dict[str, Any]]
) -> None:
    """A framework that captures the error later adds nothing."""
    with pytest.raises(CoroutineLeakError) as caught:
        leaky()
    if between:
        sentry_sdk.capture_exception(ValueError("another"))
    sentry_sdk.capture_exception(caught.value)
    leaks = [it for it in events if it.get("fingerprint")]
    assert [it["level"] for it in leaks] == ["error"]
    assert len(events) == 1 + between


SERVICE = """
import asyncio
import json

import sentry_sdk
from sentry_sdk.transport import Transport
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coroguard.integrations.middleware.asgi import WatchMiddleware
from coroguard.integrations.sentry import install


class Received(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            value = event["exception"]["values"][-1]
            print(
                json.dumps(
                    [
                        value["type"],
                        event.get("fingerprint"),
                        value["stacktrace"]["frames"][-1]["function"],
                        event["contexts"].get("coroguard", {}).get("request_id"),
                    ]
                )
            )


sentry_sdk.init("http://key@127.0.0.1:9/1", transport=Received())
install()


async def twin():
    return True


def drop():
    twin()


async def careless(request):
    drop()
    return PlainTextResponse("ok")


async def misused(request):
    return PlainTextResponse(twin().get("x"))


async def fails(request):
    raise ValueError("as ever")


app = Starlette(
    routes=[Route("/a/{id}", careless), Route("/b/{id}", misused), Route("/c", fails)]
)
app.add_middleware(WatchMiddleware)


async def receive():
    return {"type": "http.request", "body": b""}


async def send(message): ...


async def main():
    for path in ("/a/7", "/b/7", "/c"):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"x-request-id", b"id-1"), (b"host", b"service")],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }
        try:
            await app(scope, receive, send)
        except Exception as error:
            print(json.dumps(type(error).__name__))


asyncio.run(main())
"""


def test_beside_the_integration_of_a_framework(tmp_path: Path) -> None:
    """Drops, misuses and other exceptions of requests are one event each."""
    (tmp_path / "service.py").write_text(SERVICE)
    command = [sys.executable, "-W", "ignore", "service.py"]
    finished = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert [json.loads(line) for line in finished.stdout.splitlines()] == [
        [
            "CoroutineLeakError",
            ["coroguard", "dropped", "twin", "GET /a/{id}"],
            "drop",
            "id-1",
        ],
        [
            "AttributeError",
            ["coroguard", "misused", "twin", "GET /b/{id}"],
            "misused",
            "id-1",
        ],
        "AttributeError",
        ["ValueError", None, "fails", None],
        "ValueError",
    ]


def test_other_exceptions_are_as_before(events: list[dict[str, Any]]) -> None:
    """What is not coroguard's keeps its own group and its level."""
    sentry_sdk.capture_exception(ValueError("as ever"))
    (event,) = events
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event.get("fingerprint") in (None, ["{{ default }}"])


def test_twice_installed_captures_once(events: list[dict[str, Any]]) -> None:
    """A second call changes nothing, and the end is the end."""
    uninstall = install()
    with mode("observe"):
        leaky()["connected"].close()
    uninstall()
    with mode("observe"):
        guard(returns=Any, name="after")(lambda: twin())().close()
    assert len(events) == 1


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the SDK, one sentence names the command that installs it."""
    for name in list(sys.modules):
        if name.partition(".")[0] == "sentry_sdk":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    words = r"sentry_sdk is not installed; run pip install 'coroguard\[sentry\]'"
    with pytest.raises(ModuleNotFoundError, match=f"^{words}$"):
        install()
