"""Requests to Starlette and FastAPI under uvicorn, watched for leaks."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from servers import PATIENCE_S
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import connect

from coroguard import Event, configure, guard
from coroguard.gates.ready_made import serve
from coroguard.integrations.middleware.asgi import WatchMiddleware

pytestmark = [
    pytest.mark.slow(reason="starts a server for each group of tests"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]
OK = PlainTextResponse("ok")


async def twin() -> bool:
    return True


def drop() -> None:
    twin()


async def adrop() -> None:
    twin()


async def in_pool(function: Callable[[], None]) -> None:
    """Run a function in a thread of a pool, once the job is awaited."""
    loop, awaited = asyncio.get_running_loop(), threading.Event()

    def run() -> None:
        awaited.wait(PATIENCE_S)
        function()

    loop.call_soon(awaited.set)
    await loop.run_in_executor(None, run)


async def in_async(request: Request) -> Response:
    drop()
    return OK


def in_thread(request: Request) -> Response:
    drop()
    return OK


async def in_child(request: Request) -> Response:
    await asyncio.create_task(adrop())
    return OK


async def in_executor(request: Request) -> Response:
    await in_pool(drop)
    return OK


async def streamed(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"o"
        drop()
        yield b"k"

    return StreamingResponse(parts())


async def streamed_in_thread(request: Request) -> Response:
    def parts() -> Iterator[bytes]:
        yield b"o"
        drop()
        yield b"k"

    return StreamingResponse(parts())


async def in_background(request: Request) -> Response:
    return PlainTextResponse("ok", background=BackgroundTask(drop))


async def in_async_background(request: Request) -> Response:
    return PlainTextResponse("ok", background=BackgroundTask(adrop))


@guard(returns=Any, name="check")
def check() -> bool:
    return not twin()


async def in_guard(request: Request) -> Response:
    check()
    return OK


async def misused(request: Request) -> Response:
    return PlainTextResponse(twin().get("x"))  # type: ignore[attr-defined]


async def clean(request: Request) -> Response:
    await twin()
    return OK


async def endless(request: Request) -> Response:
    drop()

    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"more"
            await asyncio.sleep(0)

    return StreamingResponse(parts())


later: list[asyncio.Task[None]] = []


async def outlived(request: Request) -> Response:
    async def wait() -> None:
        await asyncio.sleep(0.05)
        drop()

    later.append(asyncio.create_task(wait()))
    return OK


async def chat(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.receive_text()
            drop()
            await socket.send_text("ok")
    except WebSocketDisconnect:
        pass


PLACES = {
    "async": in_async,
    "thread": in_thread,
    "child": in_child,
    "executor": in_executor,
    "stream": streamed,
    "stream-thread": streamed_in_thread,
    "background": in_background,
    "background-async": in_async_background,
}


class PassOn(BaseHTTPMiddleware):
    """Runs the application in a task of its own, as many middlewares do."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        request.state.request_id = request.headers.get("x-trace", "")
        return await call_next(request)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    drop()
    yield


def routes() -> list[Any]:
    return [
        *(Route(f"/{name}/{{item:int}}", it) for name, it in PLACES.items()),
        Route("/guard", in_guard),
        Route("/misuse/{item}", misused),
        Route("/clean", clean),
        Route("/endless", endless),
        Route("/outlived", outlived),
        WebSocketRoute("/ws/{room}", chat),
        Mount("/t/{tenant}", routes=[Mount("/v1", routes=[Route("/{id}", in_async)])]),
    ]


def starlette(*more: Any) -> Any:
    return Starlette(routes=routes(), middleware=[Middleware(WatchMiddleware), *more])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(starlette()) as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with client_of(url) as made:
        yield made


def client_of(url: str) -> httpx.Client:
    """Return a client that connects anew for each request.

    A server may close a connection after an error, as the client reuses it.
    """
    no_reuse = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=url, timeout=PATIENCE_S, limits=no_reuse)


Wait = Callable[[Callable[[], bool]], None]


def ask(client: httpx.Client, path: str) -> tuple[int, str]:
    answer = client.get(path, headers={"x-request-id": "id-1"})
    return answer.status_code, answer.text


def seen(events: list[Event]) -> list[tuple[str, str, str, str]]:
    return [(it.guarded, it.method, it.route, it.request_id) for it in events]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["enforce", "strict"])
def test_a_drop_is_one_event_with_its_route(
    place: str,
    name: Any,
    client: httpx.Client,
    events: list[Event],
    wait_for: Wait,
    process_mode: None,
) -> None:
    """Wherever it is dropped, the answer is the same, and the event has the route."""
    configure(mode=name)
    assert ask(client, f"/{place}/7") == (200, "ok")
    wait_for(lambda: len(events) > 0)
    assert ask(client, "/clean") == (200, "ok")
    route = f"/{place}/{{item}}"
    assert seen(events) == [(f"GET {route}", "GET", route, "id-1")]


def test_the_mounts_are_in_the_route(client: httpx.Client, events: list[Event]) -> None:
    """Of a path in two mounts, all three templates are."""
    assert ask(client, "/t/acme/v1/7") == (200, "ok")
    assert [it.route for it in events] == ["/t/{tenant}/v1/{id}"]


def test_the_leak_of_a_guard_has_the_request(
    client: httpx.Client, events: list[Event]
) -> None:
    """A guard in a request reports it, and the request does not."""
    assert ask(client, "/guard") == (200, "ok")
    assert seen(events) == [("check", "GET", "/guard", "id-1")]


def test_a_misuse_is_explained_once(client: httpx.Client, events: list[Event]) -> None:
    """The endpoint fails as it did, and the event names the coroutine."""
    assert ask(client, "/misuse/7") == (500, "Internal Server Error")
    assert seen(events) == [("GET /misuse/{item}", "GET", "/misuse/{item}", "id-1")]
    assert [it.leak.kind for it in events if it.leak] == ["misused"]


def test_a_path_without_a_route_is_not_in_the_event(
    client: httpx.Client, events: list[Event]
) -> None:
    """What nobody serves has no route, and no event."""
    assert client.get("/nobody/serves/this").status_code == 404
    assert events == []


def test_a_client_that_leaves_changes_nothing(
    url: str, events: list[Event], wait_for: Wait, client: httpx.Client
) -> None:
    """The drop before a client went is one event, and the next requests are clean."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as raw:
        raw.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(100)
    wait_for(lambda: len(events) > 0)
    assert ask(client, "/clean") == (200, "ok")
    assert [it.guarded for it in events] == ["GET /endless"]


def test_a_task_that_outlives_the_request_is_not_blamed_on_one(
    client: httpx.Client, events: list[Event], wait_for: Wait
) -> None:
    """A drop after the response belongs to no request, nor to the next one."""
    assert ask(client, "/outlived") == (200, "ok")
    while not later[-1].done():
        assert ask(client, "/clean") == (200, "ok")
    assert events == []


def test_a_socket_reports_at_once(url: str, events: list[Event]) -> None:
    """Each drop of a long connection is an event before the next message."""
    address = url.replace("http", "ws") + "/ws/lobby"
    counts = []
    with connect(address, open_timeout=PATIENCE_S) as websocket:
        for _ in range(30):
            websocket.send("hello")
            websocket.recv(PATIENCE_S)
            counts.append(len(events))
    assert counts == list(range(1, 31))
    assert set(seen(events)) == {
        ("WEBSOCKET /ws/{room}", "WEBSOCKET", "/ws/{room}", "")
    }


def test_requests_at_once_are_not_mixed_up(url: str, events: list[Event]) -> None:
    """Of sixty requests on one loop and its threads, only those that drop report."""
    paths = ["/clean", "/async/1", "/clean", "/thread/1", "/child/1", "/clean"] * 10

    async def ask_all() -> list[int]:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
            asked = (
                client.get(path, headers={"x-request-id": f"{number}{path[:2]}"})
                for number, path in enumerate(paths)
            )
            return [it.status_code for it in await asyncio.gather(*asked)]

    assert set(asyncio.run(ask_all())) == {200}
    expected = [f"{n}{it[:2]}" for n, it in enumerate(paths) if it != "/clean"]
    assert sorted(it.request_id for it in events) == sorted(expected)


def test_the_lifespan_is_watched(events: list[Event]) -> None:
    """What an application drops while it starts is one event, of no request."""
    app = Starlette(
        routes=routes(), lifespan=lifespan, middleware=[Middleware(WatchMiddleware)]
    )
    with serve(app) as address:
        assert httpx.get(f"{address}/clean", timeout=PATIENCE_S).text == "ok"
    assert seen(events) == [("lifespan", "", "", "")]


def test_a_task_of_another_middleware_is_the_requests(events: list[Event]) -> None:
    """Where a middleware runs the application in a task, the request is known."""
    with serve(starlette(Middleware(PassOn))) as address:
        client = client_of(address)
        for path in ("/async/7", "/thread/7", "/stream/7", "/clean"):
            client.get(path, headers={"x-trace": "of-the-app"})
        client.close()
    routes = [f"/{it}/{{item}}" for it in ("async", "thread", "stream")]
    assert [(it.route, it.request_id) for it in events] == [
        (route, "of-the-app") for route in routes
    ]


def fastapi() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/items")

    @router.get("/{item}")
    async def read(item: int) -> str:
        drop()
        return "ok"

    @router.get("/{item}/sync")
    def read_sync(item: int) -> str:
        drop()
        return "ok"

    @app.get("/clean")
    async def clean() -> str:
        await twin()
        return "ok"

    @app.get("/fails/{item}")
    async def fails(item: int) -> str:
        return twin().get("x")  # type: ignore[attr-defined,no-any-return]

    @app.websocket("/ws/{room}")
    async def talk(websocket: WebSocket, room: str) -> None:
        await chat(websocket)

    inner = FastAPI()
    inner.include_router(router)
    app.include_router(router, prefix="/api")
    app.mount("/sub/{tenant}", inner)
    app.add_middleware(WatchMiddleware)
    return app


def test_fastapi_gives_the_whole_template(events: list[Event]) -> None:
    """Prefixes of routers and mounts are in the route, and no value is."""
    with serve(fastapi()) as address:
        client = client_of(address)
        paths = ["/api/items/7", "/api/items/7/sync", "/sub/acme/items/7"]
        statuses = [client.get(path).status_code for path in [*paths, "/clean"]]
        with connect(f"{address.replace('http', 'ws')}/ws/lobby") as websocket:
            websocket.send("hello")
            websocket.recv(PATIENCE_S)
        statuses.append(client.get("/fails/7").status_code)
        client.close()
    assert statuses == [200, 200, 200, 200, 500]
    assert [it.guarded for it in events] == [
        "GET /api/items/{item}",
        "GET /api/items/{item}/sync",
        "GET /sub/{tenant}/items/{item}",
        "WEBSOCKET /ws/{room}",
        "GET /fails/{item}",
    ]
