"""Events: their subscribers, and the logger that writes them by default."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isasyncgenfunction
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from .._inspect.callables import is_async, name_of
from .._leaks.errors import CoroguardError, GuardUsageError
from .modes import warn_if_late

if TYPE_CHECKING:
    import logging
    from datetime import datetime

    from .._leaks.leak import Leak
    from .modes import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What was found, and what was done about it.

    Args:
        leak: The leak; ``None`` for a violated shape, an unfinished scan and
            what could not be judged.
        error: The error that was raised, or would have been.
        action: ``raised``, ``reported``, ``noted`` on another exception, or
            ``unjudged``: the value passed, because it could not be judged.
        mode: The mode that applied.
        guarded: Qualified name of the guarded function, or of the watch.
        at: When, aware, in UTC.
        duration_ms: How long the guarded call took; ``None`` where it was not
            measured (only strict mode and ``watch`` do).
        complete: Whether the whole value was scanned; ``False`` where the
            scan limit cut it.
        reason: Why the value could not be judged, else empty.
    """

    leak: Leak | None
    error: CoroguardError | None
    action: str
    mode: Mode
    guarded: str
    at: datetime
    duration_ms: float | None = None
    complete: bool = True
    reason: str = ""


Subscriber = Callable[[Event], object]

# Reentrant, because a finalizer may run while its own thread holds it.
_lock = threading.RLock()
_subscribers: tuple[Subscriber, ...] = ()
_failed: set[int] = set()
#: Threads that are delivering an event now; context variables may not be touched
#: where a finalizer found a leak.
_delivering: set[int] = set()


def subscribe(callback: Subscriber) -> Callable[[], None]:
    """Call ``callback`` with every event from now on.

    It runs in the thread that found the leak, before anything is raised. An
    exception that it raises is logged once and goes no further; events that it
    causes itself are only logged.

    Returns:
        A function that ends the subscription; repeated calls have no effect.

    Raises:
        GuardUsageError: ``callback`` cannot be called, or is async.
    """
    global _subscribers
    _refuse(callback)

    def deliver(event: Event) -> object:
        return callback(event)

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
    try:
        warn_if_late()
        _log(event)
    except Exception:  # a handler or a filter of the program's
        _report_once(_log, "a handler of the logger coroguard.leak raised")
    thread = threading.get_ident()
    if thread in _delivering:
        return
    _delivering.add(thread)
    try:
        for subscriber in _subscribers:
            _deliver(subscriber, event)
    finally:
        _delivering.discard(thread)


def logger() -> logging.Logger:
    """Return the logger of the package; ``logging`` is imported when needed."""
    import logging

    return logging.getLogger("coroguard")


def _refuse(callback: Any) -> None:
    name = name_of(callback)
    if not callable(callback):
        raise GuardUsageError(
            f"subscribe() cannot call {callback!r}; give a function of one event"
        )
    if is_async(callback) or isasyncgenfunction(callback):
        raise GuardUsageError(
            f"subscribe() does not await {name}; give a sync function, which may "
            "put the event on a queue for async code"
        )


def _deliver(subscriber: Subscriber, event: Event) -> None:
    try:
        result = subscriber(event)
    except Exception:
        _report_once(subscriber, "a coroguard subscriber raised")
        return
    if type(result) is CoroutineType:
        result.close()
        text = f"a coroguard subscriber returned the coroutine {result.__qualname__!r}"
        _report_once(subscriber, f"{text}, which is not awaited", is_error=False)


def _report_once(source: object, text: str, *, is_error: bool = True) -> None:
    with _lock:
        known = id(source) in _failed
        _failed.add(id(source))
    if not known:
        _log_safely(f"{text}; later cases are not logged", is_error)


def _log_safely(text: str, is_error: bool) -> None:
    try:
        logger().getChild("leak").error(text, exc_info=is_error)
    except Exception:  # the program's logging is out of order
        return


_TEMPLATE = "coroguard %s a leak: %s"
_TEMPLATE_WITHOUT_LEAK = "coroguard %s: %s"
_MOST_PLACES = 1_024
_MOST_PATHS = 16  # of one place; a path may hold keys of the program's data
_counts: dict[tuple[str, ...], int] = {}
_paths: dict[tuple[str, ...], int] = {}


def _log(event: Event) -> None:
    """Write the first, 10th, 100th, ... event of a place to the logger."""
    count = _count(event)
    if str(count).strip("0") != "1":
        return
    is_raised = event.action == "raised"
    text = event.reason or f"{event.guarded}: scan not finished"
    if event.reason:
        text = f"{event.guarded} passes, {event.reason}"
    log = logger().getChild("leak")
    # Where it is raised, exc_info has all of it; Python's last resort for programs
    # without logging would only print it twice.
    by_exc_info = is_raised and log.hasHandlers()
    if event.error is not None:
        text = str(event.error)
        text = text.partition("\n")[0] if by_exc_info else text
    (log.error if is_raised else log.warning)(
        _TEMPLATE_WITHOUT_LEAK if event.leak is None else _TEMPLATE,
        event.action,
        text,
        exc_info=event.error if by_exc_info else None,
        extra=_facts(event, count),
    )


def _facts(event: Event, count: int) -> dict[str, object]:
    """Return what is known of an event, by the names of a log record."""
    leak = event.leak
    known = {
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
    }
    facts = {name: value for name, value in known.items() if value is not None}
    return {"event.name": "coroguard.leak", **facts}


def _count(event: Event) -> int:
    """Count an event by its place, and return how many there were."""
    leak = event.leak
    place: tuple[str, ...] = (event.action, event.guarded)
    with _lock:
        if leak is not None:
            place += (leak.kind, leak.name, leak.defined)
            path = (*place, leak.path)
            if path in _counts or _paths.get(place, 0) < _MOST_PATHS:
                _paths[place] = _paths.get(place, 0) + (path not in _counts)
                place = path
        if len(_counts) >= _MOST_PLACES and place not in _counts:
            _counts.clear()
            _paths.clear()
        count = _counts[place] = _counts.get(place, 0) + 1
    return count
