"""The middleware that watches WSGI requests, called without a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from coroguard import Event
from coroguard._runtime import scopes
from coroguard.integrations.middleware import wsgi

from .conftest import drop, environment, respond, twin

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


def streaming(environ: Any, start: Any) -> Iterator[bytes]:
    yield b"a"
    drop()
    yield b"b"


class Closing(list[bytes]):
    """A body that drops when it is closed."""

    def __iter__(self) -> Iterator[bytes]:
        return iter((b"a", b"b"))

    def close(self) -> None:
        drop()


def test_a_wsgi_body_is_watched_to_its_end(events: list[Event]) -> None:
    """The parts of a stream and its close belong to the request."""
    assert respond(streaming) == [b"a", b"b"]
    assert respond(lambda environ, start: iter(Closing())) == [b"a", b"b"]

    class Body:
        __iter__ = Closing.__iter__
        close = Closing.close

    assert respond(lambda environ, start: Body()) == [b"a", b"b"]
    assert [it.guarded for it in events] == ["GET request"] * 2


def test_between_two_parts_the_server_is_free(events: list[Event]) -> None:
    """What the server does between two parts is not the request's."""
    body = iter(
        wsgi.WatchMiddleware(streaming)(environment(), lambda *args: None)  # type: ignore[arg-type]
    )
    next(body)
    between = scopes.here()
    drop()
    list(body)
    assert (between, len(events)) == (None, 1)


def test_a_body_that_asks_itself_ends(events: list[Event]) -> None:
    """A part that is asked for inside another one does not nest its scope in itself."""
    bodies: list[Any] = []

    class Body:
        depth = 0

        def __iter__(self) -> Body:
            return self

        def __next__(self) -> bytes:
            if self.depth == 2:
                raise StopIteration
            self.depth += 1
            drop()
            return next(bodies[0], b"")

    bodies.append(
        wsgi.WatchMiddleware(lambda environ, start: Body())(  # type: ignore[arg-type]
            environment(), lambda *args: None
        )
    )
    assert list(bodies[0]) == [b""]
    bodies[0].close()
    assert {it.guarded for it in events} == {"GET request"}


def test_a_finished_body_is_handed_on(events: list[Event]) -> None:
    """A list, and a file that the server sends itself, stay what they are."""

    class File:
        def __iter__(self) -> Iterator[bytes]:
            return iter(())

    parts = [b"a"]
    made = File()
    environ = environment(**{"wsgi.file_wrapper": File})
    start = lambda *args: None  # noqa: E731
    assert wsgi.WatchMiddleware(lambda e, s: parts)(environ, start) is parts
    assert wsgi.WatchMiddleware(lambda e, s: made)(environ, start) is made


def test_a_wsgi_exception_passes_as_it_is(events: list[Event]) -> None:
    """One that a coroutine caused is an event, raised by the body too."""

    def app(environ: Any, start: Any) -> Iterator[bytes]:
        yield twin().get("x")  # type: ignore[attr-defined]

    with pytest.raises(AttributeError):
        respond(app)
    with pytest.raises(AttributeError):
        respond(lambda environ, start: twin().get("x"))  # type: ignore[attr-defined]
    assert [(it.action, it.guarded) for it in events] == [("noted", "GET request")] * 2


def test_wsgi_threads_are_not_mixed_up(events: list[Event]) -> None:
    """Of requests in several threads, each drop belongs to its own."""
    together = threading.Barrier(4)

    def app(environ: Any, start: Any) -> Iterator[bytes]:
        together.wait(60)
        if environ["leaks"]:
            drop()
        together.wait(60)
        yield b""

    def serve(number: int) -> None:
        respond(app, environment(HTTP_X_REQUEST_ID=str(number), leaks=number % 2 == 0))

    threads = [threading.Thread(target=serve, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(it.request_id for it in events) == ["0", "2"]
