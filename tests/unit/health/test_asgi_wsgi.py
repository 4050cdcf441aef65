"""The ASGI and the WSGI application of an endpoint, without any framework."""

from __future__ import annotations

from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from coroguard import GuardUsageError
from coroguard.integrations import asgi, wsgi

CHECKS: dict[str, Any] = {"disk": lambda: {"free": "s3cret"}}


async def ask(
    app: Any, method: str = "GET", path: str = "/health", **scope: Any
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("no body is read")

    made = {"type": "http", "method": method, "path": path, "headers": [], **scope}
    await app(made, receive, send)
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"inner"})


async def test_asgi_answers_whatever_the_path() -> None:
    """On a route of its own, the router has looked at the path already."""
    app = asgi.HealthEndpoint(CHECKS, deadline_s=30)
    for path in ("/", "", "/health", "/anything"):
        status, headers, body = await ask(app, path=path)
        assert (status, body[:17]) == (200, b'{"status": "pass"')
        assert headers[b"cache-control"] == b"no-store"


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/health", "", 200),
        ("/health/", "", 200),
        ("/api/health", "/api", 200),
        ("/api/health", "", 404),
        ("/healthy", "", 404),
        ("/", "", 404),
    ],
)
async def test_asgi_around_an_application(path: str, root: str, expected: int) -> None:
    """Put around an application, it answers its own path and passes the rest on."""
    app = asgi.HealthEndpoint(CHECKS, around=inner, deadline_s=30)
    assert (await ask(app, path=path, root_path=root))[0] == expected


async def test_asgi_methods_and_accept() -> None:
    """HEAD is empty, POST is 405, and all ``Accept`` headers count."""
    app = asgi.HealthEndpoint(CHECKS, deadline_s=30)
    assert (await ask(app, "HEAD"))[::2] == (200, b"")
    status, headers, _ = await ask(app, "POST")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD")
    wanted = [(b"accept", b"image/png"), (b"Accept", b"text/plain")]
    assert (await ask(app, headers=wanted))[2] == b"pass\n"


async def test_asgi_reveal_gets_the_scope() -> None:
    """A function decides from the scope whether errors and details are shown."""
    app = asgi.HealthEndpoint(
        CHECKS, reveal=lambda scope: scope["user"] == "ada", deadline_s=30
    )
    assert b"s3cret" in (await ask(app, user="ada"))[2]
    assert b"s3cret" not in (await ask(app, user="eve"))[2]


async def test_asgi_lifespan_and_websocket() -> None:
    """Alone under a server it starts and ends, and accepts no WebSocket."""
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    app = asgi.HealthEndpoint(CHECKS)
    await app({"type": "lifespan"}, receive, send)
    await app({"type": "websocket"}, receive, send)
    assert sent == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "websocket.close",
    ]


def call(app: Any, **environ: str) -> tuple[str, dict[str, str], bytes]:
    environ = {"QUERY_STRING": "", "SCRIPT_NAME": "", "PATH_INFO": "/", **environ}
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started.extend((status, dict(headers)))

    found = validator(app)(environ, start_response)
    body = b"".join(found)
    found.close()
    return started[0], started[1], body


def winner(environ: Any, start_response: Any) -> Any:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"inner"]


def test_wsgi_answers() -> None:
    """The answer keeps to PEP 3333, which a validator checks."""
    app = wsgi.HealthEndpoint(CHECKS, deadline_s=30)
    status, headers, body = call(app)
    assert (status, body[:17]) == ("200 OK", b'{"status": "pass"')
    assert headers["content-length"] == str(len(body))
    assert call(app, HTTP_ACCEPT="text/plain")[2] == b"pass\n"
    head = call(app, REQUEST_METHOD="HEAD")
    assert head[1] == headers
    assert head[2] == b""
    assert call(app, REQUEST_METHOD="POST")[0] == "405 Method Not Allowed"
    down = wsgi.HealthEndpoint({"disk": lambda: False}, deadline_s=30)
    assert call(down)[0] == "503 Service Unavailable"


def test_wsgi_around_an_application() -> None:
    """Put around an application, it answers its own path and passes the rest on."""
    app = wsgi.HealthEndpoint(CHECKS, around=winner, path="/healthz", deadline_s=30)
    assert call(app, PATH_INFO="/healthz")[0] == "200 OK"
    assert call(app, PATH_INFO="/healthz/")[0] == "200 OK"
    assert call(app, PATH_INFO="/health")[0] == "404 Not Found"
    assert call(app, PATH_INFO="", SCRIPT_NAME="/api")[2] == b"inner"


@pytest.mark.parametrize("kind", [asgi.HealthEndpoint, wsgi.HealthEndpoint])
def test_wrong_option_is_refused(kind: Any) -> None:
    """A wrong option is refused where the application is made."""
    with pytest.raises(GuardUsageError, match="HealthEndpoint has no option 'timeout'"):
        kind(CHECKS, timeout=3)
