"""The traps of each framework, and the adapters that avoid them."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import types
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with")

CHECKS: dict[str, Any] = {"disk": lambda: {"free": "s3cret"}}
DOWN: dict[str, Any] = {"disk": lambda: False}


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [name for name in modules if not find_spec(name)]
    return pytest.mark.skipif(bool(missing), reason=f"{missing} not installed")


STARLETTE = needs("starlette", "httpx")
FASTAPI = needs("fastapi", "httpx")
LITESTAR = needs("litestar", "httpx")


@STARLETTE
def test_starlette_route_takes_the_object() -> None:
    """On a ``Route`` the endpoint gets every method, and no redirect."""
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route
    from starlette.testclient import TestClient

    from coroguard.integrations.asgi import HealthEndpoint

    endpoint = HealthEndpoint(CHECKS, deadline_s=30)
    app = Starlette(routes=[Route("/health", endpoint), Mount("/mounted", endpoint)])
    with TestClient(app, follow_redirects=False) as client:
        assert client.get("/health").json()["status"] == "pass"
        assert client.head("/health").headers["content-length"]
        assert client.post("/health").headers["allow"] == "GET, HEAD"
        # The trap that the documentation names.
        assert client.get("/mounted").status_code == 307


@LITESTAR
def test_litestar_takes_the_object_as_a_handler() -> None:
    """Litestar reads the annotations of ``__call__``, which are there."""
    from litestar import Litestar, asgi
    from litestar.testing import TestClient

    from coroguard.integrations.asgi import HealthEndpoint

    app = Litestar(
        [asgi("/health", copy_scope=True)(HealthEndpoint(DOWN, deadline_s=30))]
    )
    with TestClient(app) as client:
        assert client.get("/health").status_code == 503
        assert client.head("/health").status_code == 503
        assert client.post("/health").status_code == 405


@FASTAPI
def test_fastapi_route_and_schema() -> None:
    """The route answers, and the schema has it once, with both statuses."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from coroguard.integrations.fastapi import health_router

    app = FastAPI()
    app.include_router(health_router(CHECKS, deadline_s=30))
    app.include_router(health_router(probe="liveness", path="/livez"))
    with TestClient(app) as client:
        assert client.get("/health").json()["status"] == "pass"
        assert client.head("/health").content == b""
        answer = client.post("/health")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert client.get("/livez").status_code == 200
        schema = client.get("/openapi.json").json()["paths"]["/health"]
    assert list(schema) == ["get"]
    for status in ("200", "503"):
        content = schema["get"]["responses"][status]["content"]
        assert "application/health+json" in content
    assert "422" not in schema["get"]["responses"]


@FASTAPI
def test_fastapi_dependencies_hold_for_each_method() -> None:
    """A dependency that refuses is asked before every method."""
    from fastapi import Depends, FastAPI, HTTPException, Request
    from fastapi.testclient import TestClient

    from coroguard.integrations.fastapi import health_router

    def refuse() -> None:
        raise HTTPException(401)

    def is_admin(request: Request) -> bool:
        return request.headers.get("x-user") == "ada"

    app = FastAPI()
    app.include_router(
        health_router(CHECKS, path="/closed", dependencies=[Depends(refuse)])
    )
    app.include_router(health_router(CHECKS, reveal=is_admin, deadline_s=30))
    with TestClient(app) as client:
        found = {client.request(it, "/closed").status_code for it in ("GET", "HEAD")}
        assert found == {401}
        assert "s3cret" not in client.get("/health").text
        assert "s3cret" in client.get("/health", headers={"x-user": "ada"}).text


@needs("flask")
def test_flask_is_put_inside() -> None:
    """Around Flask's application, the other routes are Flask's."""
    from flask import Flask

    from coroguard.integrations.wsgi import HealthEndpoint

    app = Flask("app")
    app.route("/")(lambda: "hello")
    app.wsgi_app = HealthEndpoint(DOWN, around=app.wsgi_app, deadline_s=30)  # type: ignore[method-assign]
    client = app.test_client()
    assert client.get("/").text == "hello"
    assert client.get("/health").status_code == 503
    assert client.get("/nothing").status_code == 404


@needs("aiohttp")
async def test_aiohttp_handler() -> None:
    """The handler answers every method, in the application's own loop."""
    from aiohttp import web
    from aiohttp.test_utils import TestClient, TestServer

    from coroguard.integrations.aiohttp import health_handler

    loops = []

    async def check() -> None:
        loops.append(asyncio.get_running_loop())

    app = web.Application()
    handler = health_handler(
        {"it": check, **CHECKS},
        reveal=lambda request: "full" in request.query,
        deadline_s=30,
    )
    app.router.add_route("*", "/health", handler)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/health")
        assert (answer.status, answer.content_type) == (200, "application/health+json")
        assert (await client.head("/health")).headers["content-length"] != "0"
        assert (await client.post("/health")).status == 405
        assert "s3cret" in await (await client.get("/health?full=1")).text()
    assert set(loops) == {asyncio.get_running_loop()}


@pytest.fixture
def django_urls() -> Iterator[types.ModuleType]:
    """A Django project of one module, whose routes a test sets."""
    pytest.importorskip("django", reason="django is not installed")
    import django
    from django.conf import settings
    from django.urls import clear_url_caches

    urls = types.ModuleType("coroguard_test_urls")
    sys.modules[urls.__name__] = urls
    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=urls.__name__,
            ALLOWED_HOSTS=["*"],
            DEBUG=False,
            LOGGING_CONFIG=None,
            MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
            INSTALLED_APPS=["coroguard.integrations.django.CoroguardConfig"],
        )
        django.setup()
    clear_url_caches()
    yield urls
    clear_url_caches()
    del sys.modules[urls.__name__]


def test_django_view(django_urls: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The view answers every method, and an outage is not logged at each probe."""
    from django.test import Client
    from django.urls import path

    from coroguard.integrations.django import health_view

    django_urls.urlpatterns = [
        path("health", health_view(CHECKS, reveal="full", deadline_s=30)),
        path("down", health_view(DOWN, deadline_s=30)),
    ]
    client = Client(enforce_csrf_checks=True)
    assert "s3cret" in client.get("/health").content.decode()
    assert client.head("/health").status_code == 200
    assert client.post("/health").status_code == 405
    with caplog.at_level(logging.DEBUG, "django.request"):
        assert client.get("/down").status_code == 503
    assert [it for it in caplog.records if it.name == "django.request"] == []


async def test_django_async_view(django_urls: Any) -> None:
    """The async view runs async checks in the loop of ASGI."""
    from django.test import AsyncClient
    from django.urls import path

    from coroguard.integrations.django import ahealth_view

    loops = []

    async def check() -> None:
        loops.append(asyncio.get_running_loop())

    django_urls.urlpatterns = [
        path("health", ahealth_view({"it": check}, deadline_s=30))
    ]
    answer = await AsyncClient().get("/health")
    assert json.loads(answer.content)["status"] == "pass"
    assert loops == [asyncio.get_running_loop()]


def test_django_system_check(django_urls: Any) -> None:
    """The check names the health views without a guard, and only those."""
    from django.core.checks import run_checks
    from django.http import HttpResponse
    from django.urls import include, path
    from django.views import View
    from django.views.decorators.http import require_GET

    from coroguard.integrations.django import health_view

    def bare(request: Any) -> HttpResponse:
        return HttpResponse("ok")

    class Bare(View):
        def get(self, request: Any) -> HttpResponse:
            return HttpResponse("ok")

    class Protected(View):
        def get(self, request: Any) -> HttpResponse:
            return HttpResponse(str(check_health()))

    def other(request: Any) -> HttpResponse:
        return HttpResponse("hello")

    django_urls.urlpatterns = [
        path("health", bare),
        path("api/", include([path("v1/readyz/", require_GET(bare))])),
        path("ready", Bare.as_view()),
        path("live", Protected.as_view()),
        path("healthz", calls_a_guard),
        path("readiness", collects),
        path("startup", health_view(CHECKS)),
        path("healthy-recipes", other),
        path("about", other),
    ]
    found = [it for it in run_checks() if it.id == "coroguard.W001"]
    routes = [it.msg.split(" of ")[1].split(" is ")[0] for it in found]
    assert routes == ["'health'", "'api/v1/readyz/'", "'ready'"]
    assert "health_view" in (found[0].hint or "")


def _guarded() -> Any:
    from coroguard import guard

    @guard
    def check_health() -> dict[str, Any]:
        return {}

    return check_health


check_health = _guarded()
health_collection = importlib.import_module("coroguard.health")


def calls_a_guard(request: Any) -> Any:
    return check_health()


def collects(request: Any) -> Any:
    return health_collection.collect(CHECKS)
