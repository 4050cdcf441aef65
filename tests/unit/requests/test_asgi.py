"""The middleware that watches requests, in every mode and beside guards."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from coroguard import Event, configure, guard, mode
from coroguard._runtime import scopes
from coroguard._runtime.collector import collect
from coroguard.integrations.middleware import asgi

from .conftest import call, drop, in_pool, nothing, request, respond, twin

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


async def in_task() -> None:
    async def child() -> None:
        drop()

    await asyncio.create_task(child())


async def in_thread() -> None:
    await asyncio.to_thread(drop)


async def in_callback() -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.call_soon(drop)
    loop.call_soon(done.set)
    await done.wait()


async def at_once() -> None:
    drop()


@pytest.mark.parametrize("body", [at_once, in_task, in_pool, in_thread, in_callback])
@pytest.mark.parametrize("name", ["observe", "enforce", "strict"])
def test_a_drop_is_an_event_of_its_request(
    body: Callable[[], Any], name: Any, events: list[Event]
) -> None:
    """Wherever the request drops it, in every mode it is reported and raises not."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["route"] = SimpleNamespace(path="/{item}", endpoint=app)
        await body()

    with mode(name):
        call(app, request(headers=[(b"x-request-id", b"abc-1")]))
    (event,) = events
    assert (event.method, event.route, event.request_id) == ("GET", "/{item}", "abc-1")
    assert (event.action, event.mode, event.guarded) == (
        "reported",
        "observe",
        "GET /{item}",
    )
    assert event.leak is not None
    assert event.leak.name == "twin"


def test_off_is_off(events: list[Event]) -> None:
    """In mode off a request is not watched."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        drop()

    with mode("off"):
        call(app)
        respond(lambda environ, start: [drop() or b""])
    assert events == []


@pytest.mark.parametrize(("before", "after"), [("off", "observe"), ("observe", "off")])
def test_a_mode_that_changes_in_a_request_leaves_nothing(
    before: Any, after: Any, process_mode: None
) -> None:
    """Nothing is left of a request for a later frame of the same identity."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        configure(mode=after)
        drop()
        await in_pool()

    configure(mode=before)
    call(app)
    configure(mode=before)
    respond(lambda environ, start: [configure(mode=after), drop(), b""][2:])  # type: ignore[func-returns-value]


def test_the_guard_inside_reports_and_not_the_request(events: list[Event]) -> None:
    """A leak that a guard in the request finds is one event, with the request."""

    @guard(returns=Any)
    def check() -> bool:
        return not twin()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        check()

    call(app)
    assert [(it.guarded, it.method) for it in events] == [(check.__qualname__, "GET")]


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "with a guard"])
def test_an_exception_of_a_coroutine_passes_with_one_event(
    inside: bool, events: list[Event]
) -> None:
    """The very exception passes, and is explained once, by the first guard."""
    raised: list[BaseException] = []

    def misuse() -> None:
        try:
            twin().get("x")  # type: ignore[attr-defined]
        except AttributeError as error:
            raised.append(error)
            raise

    body = guard(returns=Any)(misuse) if inside else misuse

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body()

    outer = asgi.WatchMiddleware(asgi.WatchMiddleware(app))
    with pytest.raises(AttributeError) as caught:
        asyncio.run(outer(request(), nothing, nothing))
    assert caught.value is raised[0]
    assert [it.leak.kind for it in events if it.leak] == ["misused"]
    assert (events[0].action, events[0].method) == ("noted", "GET")


def test_a_misuse_that_is_swallowed_is_one_event(events: list[Event]) -> None:
    """The coroutine that a guard saw misused is not reported again when it dies."""

    @guard(returns=Any)
    def misuse() -> None:
        twin().get("x")  # type: ignore[attr-defined]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with contextlib.suppress(AttributeError):
            misuse()
        collect()
        drop()

    call(app)
    assert [it.leak.kind for it in events if it.leak] == ["misused", "dropped"]


def test_an_innocent_exception_is_no_event(events: list[Event]) -> None:
    """Any other exception, a cancellation too, passes in silence."""
    errors: list[BaseException] = [ValueError(), asyncio.CancelledError()]
    for error in errors:

        async def app(scope: Any, receive: Any, send: Any, it: Any = error) -> None:
            raise it

        async def run(it: Any = app) -> None:
            await asgi.WatchMiddleware(it)(request(), nothing, nothing)

        with pytest.raises(type(error)):
            asyncio.run(run())
    assert events == []


def test_requests_at_once_are_not_mixed_up(events: list[Event]) -> None:
    """Of many requests on one loop, each drop belongs to the one that made it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        if scope["number"] % 3 == 0:
            await asyncio.create_task(at_once())

    async def serve() -> None:
        middleware = asgi.WatchMiddleware(app)
        await asyncio.gather(
            *(
                middleware(
                    request(headers=[(b"x-request-id", b"%d" % n)], number=n),
                    nothing,
                    nothing,
                )
                for n in range(30)
            )
        )

    asyncio.run(serve())
    assert sorted(int(it.request_id) for it in events) == list(range(0, 30, 3))


def test_what_outlives_the_request_is_not_its(events: list[Event]) -> None:
    """A task that outlives the request does not belong to it and keeps none of it."""
    kept: list[weakref.ref[Any]] = []

    class State:
        request_id = ""

    async def later(gate: asyncio.Event) -> None:
        await gate.wait()
        drop()

    async def serve() -> None:
        gate = asyncio.Event()
        tasks: list[asyncio.Task[None]] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            tasks.append(asyncio.create_task(later(gate)))

        scope = request(kept=State())
        kept.append(weakref.ref(scope["kept"]))
        await asgi.WatchMiddleware(app)(scope, nothing, nothing)
        del scope
        collect()
        assert kept[0]() is None
        gate.set()
        await tasks[0]

    asyncio.run(serve())
    assert events == []


def test_a_guard_around_the_server_gets_nothing(events: list[Event]) -> None:
    """The request is inside; what it drops is not the outer guard's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        drop()

    @guard(returns=Any)
    def main() -> None:
        call(app)
        respond(lambda environ, start: [drop() or b""])

    @guard(returns=Any)
    async def amain() -> None:
        await asgi.WatchMiddleware(app)(request(), nothing, nothing)

    main()
    asyncio.run(amain())
    assert [it.guarded for it in events] == ["GET request"] * 3


def test_a_long_socket_reports_at_once_and_keeps_little(events: list[Event]) -> None:
    """Each drop of a connection is an event before it ends; nothing grows."""
    counts: list[int] = []
    kept: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(100):
            drop()
            counts.append(len(events))
        current = scopes.here()
        assert current is not None
        assert current.seen is not None
        kept.append(len(current.seen))

    call(app, request("websocket"))
    assert counts == list(range(1, 101))
    assert kept[0] < 20
    assert {it.guarded for it in events} == {"WEBSOCKET request"}


def test_the_lifespan_is_watched(events: list[Event]) -> None:
    """What an application drops while it starts is an event without a request."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        drop()

    call(app, {"type": "lifespan"})
    assert [(it.guarded, it.method, it.route) for it in events] == [
        ("lifespan", "", "")
    ]


VARIABLE: ContextVar[str] = ContextVar("variable", default="before")


def test_context_variables_are_the_applications() -> None:
    """What an application sets stays set for its caller, as without the middleware."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        VARIABLE.set("by the app")

    async def serve() -> str:
        await asgi.WatchMiddleware(app)(request(), nothing, nothing)
        return VARIABLE.get()

    assert asyncio.run(serve()) == "by the app"
