"""The event loop of the checks, for callers that are synchronous."""

# In one thread with a loop of its own, so that a health check neither blocks the
# service's loop nor suffers from what blocks it.

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Coroutine, Hashable

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_flights: dict[Hashable, concurrent.futures.Future[Any]] = {}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop of the checks, and wait for what it returns."""
    return asyncio.run_coroutine_threadsafe(work, _running_loop()).result()


def run_shared(key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run work once for all callers that ask for it at the same time.

    In an outage every user's error handler asks at the same moment: without this the
    checks of a thousand users would starve each other past their deadlines.

    Args:
        key: Equal for calls that can share a result.
        work: Called only where none with this key is under way.
    """
    loop = _running_loop()
    with _lock:
        under_way: concurrent.futures.Future[T] | None = _flights.get(key)
        flight = under_way or asyncio.run_coroutine_threadsafe(work(), loop)
        _flights[key] = flight
    if under_way is None:
        # Not under the lock: where the work is done already, the callback runs at once.
        flight.add_done_callback(lambda _done: _land(key))
    return flight.result()


def _land(key: Hashable) -> None:
    with _lock:
        _flights.pop(key, None)


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            # Tasks that were abandoned in a black hole may be pending when the
            # process ends.
            _loop.set_exception_handler(lambda _loop, _context: None)
            name = "component-health"
            threading.Thread(target=_loop.run_forever, name=name, daemon=True).start()
        return _loop
