"""Requests to Flask under gunicorn, watched for leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from servers import ask, running

pytestmark = pytest.mark.slow(reason="starts gunicorn")

SERVICE = """
import logging
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, jsonify, request

from coroguard import guard, subscribe
from coroguard.integrations.middleware.flask import install

events = []
subscribe(events.append)
app = Flask(__name__)
install(app)
install(app)
received = []


@app.errorhandler(ValueError)
def answer(error):
    received.append(f"{type(error).__name__}: {error}")
    return "sorry", 500


async def twin():
    return True


def drop():
    twin()


@app.get("/sync/<int:item>")
def sync(item):
    drop()
    return "ok"


@app.get("/async/<int:item>")
async def in_async(item):
    drop()
    return "ok"


@app.get("/stream/<int:item>")
def stream(item):
    def parts():
        yield "o"
        drop()
        yield "k"

    return Response(parts())


@app.get("/misuse/<int:item>")
def misuse(item):
    return twin().get("x")


@guard(returns=Any, name="check")
def check():
    return not twin()


@app.get("/guard/<int:item>")
def in_guard(item):
    check()
    return "ok"


@app.get("/fails/<int:item>")
def fails(item):
    raise ValueError("as ever")


@app.get("/clean/<int:item>")
def clean(item):
    return "ok"


@app.get("/events")
def seen():
    found = [
        [e.guarded, e.method, e.route, e.request_id, e.action, e.leak.kind]
        for e in events
    ]
    events.clear()
    return jsonify({"events": found, "received": received})
"""


@pytest.fixture(scope="module", params=["sync", "gthread"])
def url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "service.py").write_text(SERVICE)
    options = ("--bind", "127.0.0.1:0", "--worker-class", request.param)
    with running(folder, "gunicorn", "service:app", *options) as address:
        yield address


def events_of(url: str) -> list[list[str]]:
    found: list[list[str]] = json.loads(ask(f"{url}/events")[1])["events"]
    return found


@pytest.mark.parametrize("place", ["sync", "async", "stream"])
def test_a_drop_is_one_event_with_its_route(url: str, place: str) -> None:
    """Wherever it is dropped, the answer is the same, and the event has the route."""
    assert ask(f"{url}/{place}/7") == (200, "ok")
    assert ask(f"{url}/clean/7") == (200, "ok")
    route = f"/{place}/<int:item>"
    expected = [f"GET {route}", "GET", route, "id-1", "reported", "dropped"]
    assert events_of(url) == [expected]


def test_what_flask_answers_itself_is_explained(url: str) -> None:
    """An exception that a coroutine caused is one event, and answered as before."""
    assert ask(f"{url}/misuse/7")[0] == 500
    route = "/misuse/<int:item>"
    assert events_of(url) == [
        [f"GET {route}", "GET", route, "id-1", "noted", "misused"]
    ]


def test_an_innocent_exception_is_no_event(url: str) -> None:
    """Any other exception reaches the application's handler as it was."""
    assert ask(f"{url}/fails/7") == (500, "sorry")
    found = json.loads(ask(f"{url}/events")[1])
    assert found["events"] == []
    assert found["received"][-1] == "ValueError: as ever"


def test_the_leak_of_a_guard_has_the_request(url: str) -> None:
    """A guard in a request reports it, and the request does not."""
    assert ask(f"{url}/guard/7") == (200, "ok")
    route = "/guard/<int:item>"
    assert events_of(url) == [["check", "GET", route, "id-1", "reported", "dropped"]]
