"""The health service of gRPC, kept true to the checks of a service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from ..health import Checked
from ..health.checks import seconds
from ..health.endpoint import Endpoint

if TYPE_CHECKING:
    from ..health.endpoint import Options

__all__ = ["Checked", "follow_health"]

_Status = health_pb2.HealthCheckResponse.ServingStatus
#: The default interval between two runs of the checks.
_EVERY_S = 5.0


def follow_health(
    server: Any,
    check: Any,
    *,
    service: str = "",
    every_s: float = _EVERY_S,
    **options: Unpack[Options],
) -> Callable[[], None]:
    """Add the health service to a server, and keep it true to the checks.

    It is ``NOT_SERVING`` until the checks are healthy for the first time.

    Args:
        server: A server of ``grpc`` or ``grpc.aio``, the latter in its loop, before
            it is started.
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        service: The name that clients ask for; empty for the whole server.
        every_s: Seconds from one run of the checks to the next.
        **options: Those of a health endpoint: ``probe``, ``deadline_s`` and
            ``expected``.

    Returns:
        A function that ends the runs; the server is ``NOT_SERVING`` then.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """
    options["memory_s"] = 0.0
    endpoint = Endpoint(check, by="follow_health()", **options)
    pause_s = seconds(every_s, "every_s")
    is_async = isinstance(server, grpc.aio.Server)
    of: Any = health.aio if is_async else health  # pyright: ignore
    servicer = of.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    follow = _follow_in_loop if is_async else _follow_in_thread
    return follow(endpoint, servicer, service, pause_s)


def _follow_in_loop(
    endpoint: Endpoint, servicer: Any, service: str, pause_s: float
) -> Callable[[], None]:
    async def follow() -> None:
        await servicer.set(service, _Status.NOT_SERVING)
        try:
            while True:
                report = await endpoint.areport()
                await servicer.set(service, _status(report.healthy))
                await asyncio.sleep(pause_s)
        except asyncio.CancelledError:
            await servicer.set(service, _Status.NOT_SERVING)
            raise

    task = asyncio.get_running_loop().create_task(follow())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)

    def stop() -> None:
        task.cancel()

    return stop


def _follow_in_thread(
    endpoint: Endpoint, servicer: Any, service: str, pause_s: float
) -> Callable[[], None]:
    over = threading.Event()
    servicer.set(service, _Status.NOT_SERVING)

    def follow() -> None:
        while not over.is_set():
            servicer.set(service, _status(endpoint.report().healthy))
            over.wait(pause_s)
        servicer.set(service, _Status.NOT_SERVING)

    threading.Thread(target=follow, name="coroguard follow", daemon=True).start()
    return over.set


def _status(is_healthy: bool) -> Any:
    return _Status.SERVING if is_healthy else _Status.NOT_SERVING


#: The loop holds its tasks weakly.
_tasks: set[asyncio.Task[None]] = set()
