"""The logger of leaks, which writes every event by default."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .modes import warn_if_late
from .threads import make_lock

if TYPE_CHECKING:
    import logging

    from .events import Event

_TEMPLATE = "coroguard %s a leak: %s"
_TEMPLATE_WITHOUT_LEAK = "coroguard %s: %s"
_MOST_PLACES = 1_024
_MOST_PATHS = 16  # of one place; a path may hold keys of the program's data
_lock = make_lock()
_counts: dict[tuple[str, ...], int] = {}
_paths: dict[tuple[str, ...], int] = {}


def logger() -> logging.Logger:
    """Return the logger of the package; ``logging`` is imported when needed."""
    import logging

    return logging.getLogger("coroguard")


def log_event(event: Event) -> None:
    """Write the first, 10th, 100th, ... event of a place to the logger.

    The record has the line of the program that the event is about.
    """
    count = _count(event)
    if str(count).strip("0") != "1":
        return
    warn_if_late()
    is_raised = event.action == "raised"
    log, level = logger().getChild("leak"), 40 if is_raised else 30
    if not log.isEnabledFor(level):
        return
    # If it is raised, exc_info has all of it; Python's last resort for programs
    # without logging would only print it twice.
    by_exc_info = is_raised and log.hasHandlers()
    error = event.error if by_exc_info else None
    file, _, line = event.place.rpartition(":")
    record = log.makeRecord(
        log.name,
        level,
        os.path.abspath(file) if file else "(unknown file)",
        int(line or 0),
        _TEMPLATE_WITHOUT_LEAK if event.leak is None else _TEMPLATE,
        (event.action, _text(event, is_short=by_exc_info)),
        None if error is None else (type(error), error, error.__traceback__),
        event.place_in or "(unknown function)",
        _facts(event, count),
    )
    log.handle(record)


def _text(event: Event, *, is_short: bool) -> str:
    if event.error is not None:
        text = str(event.error)
        return text.partition("\n")[0] if is_short else text
    if event.reason:
        return f"{event.guarded} passes, {event.reason}"
    return f"{event.guarded}: scan not finished"


def _facts(event: Event, count: int) -> dict[str, object]:
    """Return the attributes of an event, by their names in a log record."""
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
        "leak_method": event.method or None,
        "leak_route": event.route or None,
        "leak_request_id": event.request_id or None,
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
