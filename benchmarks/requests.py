"""The cost of watching the requests of a web service."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager
from math import nan
from statistics import median
from typing import TYPE_CHECKING, Any

import coroguard
from benchmarks.sockets import echo_process, processor_s, race
from benchmarks.table import Section, Target
from benchmarks.timing import Call, best_of
from coroguard.integrations.middleware.asgi import WatchMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sockets import Drive
    from benchmarks.timing import Effort

__all__ = ["measure_requests"]

_BARE, _WATCHED, _BLOCK = "unwatched", "WatchMiddleware", "a watch() in its place"
_REQUEST = b"GET /hello HTTP/1.1\r\nhost: service\r\n\r\n"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    pass


async def _in_block(scope: Any, receive: Any, send: Any) -> None:
    with coroguard.watch(mode="observe", name="request"):
        await _app(scope, receive, send)


def measure_requests(effort: Effort) -> Section:
    """Time one request in the process, and one under uvicorn."""
    scope = {"type": "http", "method": "GET", "headers": []}
    apps = {_BARE: _app, _WATCHED: WatchMiddleware(_app), _BLOCK: _in_block}
    best = best_of(
        {
            name: Call(app, (scope, None, None), is_async=True)
            for name, app in apps.items()
        },
        effort,
    )
    # Short rounds, so that what disturbs one disturbs its neighbour too.
    messages = max(1, effort.messages // 5)
    costs = _under_uvicorn(effort, messages)
    served = {name: median(took) / messages for name, took in costs.items()}
    pairs = list(zip(costs[_BARE], costs[_WATCHED], strict=True))
    rows = [
        (
            name,
            f"{(best[name] - best[_BARE]) * 1e6:.2f} µs",
            f"{served[name] * 1e6:.1f} µs" if name in served else "",
        )
        for name in apps
    ]
    targets = [
        Target(
            "what watching adds to a request, in the process",
            (best[_WATCHED] - best[_BARE]) * 1e6,
            2,
            unit=" µs",
        )
    ]
    # A few requests may take less than the processor's clock shows.
    ratios = [on / off if off else nan for off, on in pairs]
    claim = "what watching adds to a Starlette route under uvicorn"
    targets.append(Target(claim, 100 * (median(ratios) - 1), 5, unit=" %"))
    return Section(
        "Requests watched",
        ("one request", "added in the process", "under uvicorn"),
        rows,
        targets,
        (
            "Under uvicorn, it is what the service's thread took off the processor for "
            "a Starlette route that answers one word, over a kept connection: the "
            "middle of many rounds, and of the ratios of two that are neighbours. "
            "Both are started anew several times: where its memory lies costs a "
            "process up to 3 % more or less.",
        ),
    )


def _under_uvicorn(effort: Effort, messages: int) -> dict[str, list[float]]:
    """Return the processor seconds of each round, unwatched and watched."""
    costs: dict[str, list[float]] = {_BARE: [], _WATCHED: []}
    for _ in range(max(1, effort.socket_rounds // 6)):
        with ExitStack() as stack:
            drives = {
                _BARE: stack.enter_context(_service()),
                _WATCHED: stack.enter_context(_service(WATCHED="1")),
            }
            _, took = race(drives, messages, effort.socket_rounds)
        for name, seconds in took.items():
            costs[name] += seconds
    return costs


@contextmanager
def _service(**env: str) -> Iterator[Drive]:
    """Start the service, and connect to it."""
    with (
        echo_process(**env) as (pid, port),
        socket.create_connection(("127.0.0.1", port)) as line,
    ):

        def drive(messages: int) -> tuple[float, float]:
            cpu_s, started = processor_s(pid), time.perf_counter()
            for _ in range(messages):
                line.sendall(_REQUEST)
                answer = b""
                while not answer.endswith(b"hello"):
                    answer += line.recv(4_096)
            return time.perf_counter() - started, processor_s(pid) - cpu_s

        yield drive
