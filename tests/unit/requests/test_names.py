"""The names of requests in events: method, route, identifier."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from coroguard import Event
from coroguard.integrations.middleware.routes import route_of

from .conftest import call, drop, request

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"7f3e-11", "7f3e-11"),
        (b"a\nforged line", ""),
        (b"\xff\xfe", ""),
        (b"x" * 500, ""),
        (b"", ""),
    ],
)
def test_an_identifier_is_one_or_empty(
    header: bytes, expected: str, events: list[Event]
) -> None:
    """What a client may send cannot forge a line of a log."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        drop()

    call(app, request(headers=[(b"x-request-id", header)]))
    assert events[0].request_id == expected


def test_the_state_of_the_application_names_the_request(events: list[Event]) -> None:
    """An identifier that the application gave comes before the client's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {"request_id": "ours"}
        drop()

    call(app, request(headers=[(b"x-request-id", b"theirs")]))
    assert events[0].request_id == "ours"


def test_a_method_is_a_standard_one(events: list[Event]) -> None:
    """A word that a client invents does not become a name."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        drop()

    call(app, request(method="X" * 50))
    assert events[0].guarded == "OTHER request"


def test_a_scope_that_is_not_as_expected_does_no_harm(events: list[Event]) -> None:
    """A server's or framework's surprise costs the name only."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = scope["route"] = 3
        drop()

    call(app)
    assert [it.guarded for it in events] == ["a request"]


def test_the_path_is_never_the_route() -> None:
    """Where the route is not known, it is empty."""
    assert route_of({"path": "/users/7", "root_path": ""}) == ""
    route = SimpleNamespace(path="/x", endpoint=drop)
    assert route_of({"route": route, "root_path": "/t/acme", "app_root_path": ""}) == ""
    assert route_of({"path_template": "/users/{id}"}) == "/users/{id}"
