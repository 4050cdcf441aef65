"""Requests to Django under gunicorn and uvicorn, watched for leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import ask, running

pytestmark = pytest.mark.slow(reason="starts gunicorn, and uvicorn")

SERVICE = """
import asyncio
import pathlib
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path

from coroguard import guard, subscribe

events = []
subscribe(events.append)
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[
        "coroguard.integrations.middleware.django.WatchMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    LOGGING_CONFIG=None,
)


async def twin():
    return True


def drop():
    twin()


def sync(request, item):
    drop()
    return HttpResponse("ok")


async def in_async(request, item):
    drop()
    return HttpResponse("ok")


async def in_child(request, item):
    async def child():
        drop()

    await asyncio.create_task(child())
    return HttpResponse("ok")


def stream(request, item):
    def parts():
        yield "o"
        drop()
        yield "k"

    return StreamingHttpResponse(parts())


async def astream(request, item):
    async def parts():
        yield "o"
        drop()
        yield "k"

    return StreamingHttpResponse(parts())


def file(request, item):
    return FileResponse(pathlib.Path(__file__).open("rb"))


def misuse(request, item):
    return twin().get("x")


async def amisuse(request, item):
    return twin().get("x")


@guard(returns=Any, name="check")
def check():
    return not twin()


def in_guard(request, item):
    check()
    return HttpResponse("ok")


def fails(request, item):
    raise ValueError("as ever")


def clean(request, item):
    return HttpResponse("ok")


def seen(request):
    found = [
        [e.guarded, e.method, e.route, e.request_id, e.action, e.leak.kind]
        for e in events
    ]
    events.clear()
    return JsonResponse({"events": found})


inner = [
    path(f"{name}/<int:item>", view)
    for name, view in {
        "sync": sync,
        "async": in_async,
        "child": in_child,
        "stream": stream,
        "astream": astream,
        "file": file,
        "misuse": misuse,
        "amisuse": amisuse,
        "guard": in_guard,
        "fails": fails,
        "clean": clean,
    }.items()
]
urlpatterns = [path("api/", include(inner)), path("events", seen)]
django.setup()
wsgi = get_wsgi_application()
asgi = get_asgi_application()
"""
SERVERS = {
    "gunicorn": ("gunicorn", "service:wsgi", "--bind", "127.0.0.1:0"),
    "uvicorn": ("uvicorn", "service:asgi", "--port", "0", "--lifespan", "off"),
}


@pytest.fixture(scope="module", params=SERVERS)
def url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("service")
    (folder / "service.py").write_text(SERVICE)
    with running(folder, *SERVERS[request.param]) as address:
        yield address


def events_of(url: str) -> list[list[str]]:
    found: list[list[str]] = json.loads(ask(f"{url}/events")[1])["events"]
    return found


@pytest.mark.parametrize("place", ["sync", "async", "child", "stream", "astream"])
def test_a_drop_is_one_event_with_its_route(url: str, place: str) -> None:
    """Wherever it is dropped, the answer is the same, and the event has the route."""
    assert ask(f"{url}/api/{place}/7") == (200, "ok")
    assert ask(f"{url}/api/clean/7") == (200, "ok")
    route = f"/api/{place}/<int:item>"
    expected = [f"GET {route}", "GET", route, "id-1", "reported", "dropped"]
    assert events_of(url) == [expected]


@pytest.mark.parametrize("place", ["misuse", "amisuse"])
def test_what_django_answers_itself_is_explained(url: str, place: str) -> None:
    """An exception that a coroutine caused is one event, and a 500 as before."""
    assert ask(f"{url}/api/{place}/7")[0] == 500
    route = f"/api/{place}/<int:item>"
    assert events_of(url) == [
        [f"GET {route}", "GET", route, "id-1", "noted", "misused"]
    ]


def test_an_innocent_request_is_no_event(url: str) -> None:
    """Other exceptions, unknown paths and files are answered as without it."""
    assert ask(f"{url}/api/fails/7")[0] == 500
    assert ask(f"{url}/nobody/serves/this")[0] == 404
    assert ask(f"{url}/api/file/7")[1].strip() == SERVICE.strip()
    assert events_of(url) == []


def test_the_leak_of_a_guard_has_the_request(url: str) -> None:
    """A guard in a request reports it, and the request does not."""
    assert ask(f"{url}/api/guard/7") == (200, "ok")
    route = "/api/guard/<int:item>"
    assert events_of(url) == [["check", "GET", route, "id-1", "reported", "dropped"]]
