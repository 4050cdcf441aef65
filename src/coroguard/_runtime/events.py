"""Who is told about a leak: subscribers, and one logger by default."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from datetime import datetime

    from .._leaks.errors import CoroguardError
    from .._leaks.leak import Leak
    from .modes import Mode

__all__ = ["Event", "Subscriber", "emit", "subscribe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What was found, and what was done about it.

    Args:
        leak: The leak; ``None`` for a violated shape or an unfinished scan.
        error: The error that was raised, or would have been.
        action: ``raised``, ``reported``, or ``noted`` on another exception.
        mode: The mode that held.
        guarded: Qualified name of the guarded function, or of the watch.
        at: When, aware, in UTC.
        duration_ms: How long the guarded call took; ``None`` where nobody
            measured (only strict mode and ``watch`` do).
        complete: Whether the whole value was scanned; ``False`` where the
            scan limit cut it.
    """

    leak: Leak | None
    error: CoroguardError | None
    action: str
    mode: Mode
    guarded: str
    at: datetime
    duration_ms: float | None = None
    complete: bool = True


Subscriber = Callable[[Event], object]

_lock = threading.Lock()
_subscribers: tuple[Subscriber, ...] = ()
_failed: set[int] = set()
_emitting: ContextVar[bool] = ContextVar("coroguard_emitting", default=False)


def subscribe(callback: Subscriber) -> Callable[[], None]:
    """Call ``callback`` with every event from now on.

    It runs in the thread that found the leak, before anything is raised. What
    it raises is logged once and goes no further; events that it causes itself
    are logged only.

    Returns:
        A function that ends the subscription; calling it again does nothing.
    """
    global _subscribers

    def deliver(event: Event) -> None:
        callback(event)

    with _lock:
        _subscribers = (*_subscribers, deliver)

    def unsubscribe() -> None:
        global _subscribers
        with _lock:
            _subscribers = tuple(s for s in _subscribers if s is not deliver)
            _failed.discard(id(deliver))

    return unsubscribe


def emit(event: Event) -> None:
    """Log an event and give it to every subscriber."""
    _log(event)
    if _emitting.get():
        return
    token = _emitting.set(True)
    try:
        for subscriber in _subscribers:
            try:
                subscriber(event)
            except Exception:
                _report_once(subscriber)
    finally:
        _emitting.reset(token)


@functools.cache
def _logger() -> logging.Logger:
    """Return the logger of leaks; nothing is logged before the first one."""
    import logging

    # Without this, a program that configured no logging would get text on stderr.
    logging.getLogger("coroguard").addHandler(logging.NullHandler())
    return logging.getLogger("coroguard.leak")


def _report_once(subscriber: Subscriber) -> None:
    with _lock:
        known = id(subscriber) in _failed
        _failed.add(id(subscriber))
    if not known:
        _logger().exception(
            "a coroguard subscriber raised; later errors are not logged"
        )


_TEMPLATE = "coroguard %s a leak: %s"
_TEMPLATE_WITHOUT_LEAK = "coroguard %s: %s"
_MOST_PLACES = 1_024
_counts: dict[tuple[str, ...], int] = {}


def _log(event: Event) -> None:
    """Write the first, 10th, 100th, ... event of a place to the logger."""
    leak = event.leak
    place: tuple[str, ...] = (event.action, event.guarded)
    if leak is not None:
        place += (leak.kind, leak.name, leak.defined, leak.path)
    with _lock:
        if len(_counts) >= _MOST_PLACES and place not in _counts:
            _counts.clear()
        count = _counts[place] = _counts.get(place, 0) + 1
    if str(count).strip("0") != "1":
        return
    text = str(event.error) if event.error else f"{event.guarded}: scan not finished"
    logger = _logger()
    log = logger.error if event.action == "raised" else logger.warning
    log(
        _TEMPLATE if leak is not None else _TEMPLATE_WITHOUT_LEAK,
        event.action,
        text,
        extra={
            "leak_kind": leak.kind.value if leak else None,
            "leak_what": leak.what if leak else None,
            "leak_name": leak.name if leak else None,
            "leak_defined": leak.defined if leak else None,
            "leak_path": leak.path if leak else None,
            "leak_guarded": event.guarded,
            "leak_action": event.action,
            "leak_mode": event.mode.value,
            "leak_count": count,
            "leak_duration_ms": event.duration_ms,
        },
    )
