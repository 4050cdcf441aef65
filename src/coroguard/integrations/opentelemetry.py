"""Leaks and health checks as metrics and events of OpenTelemetry."""

# Only the API is imported: what is exported, where to and with which exemplars is
# for the SDK that the service has set up.

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from .._leaks.origins import is_ours
from .._runtime.events import subscribe
from .._version import __version__
from .extras import of_extra
from .metrics import BUCKETS_S, Names

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, LoggerProvider
    from opentelemetry.metrics import Meter, MeterProvider

    from .._runtime.events import Call, Event

__all__ = ["install"]

_SCOPE = "coroguard"
_SCHEMA = "https://opentelemetry.io/schemas/1.34.0"
EVENT_NAME = "coroguard.leak"

_lock = Lock()
_installed: dict[tuple[Any, Any], Callable[[], None]] = {}


def install(
    *,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
) -> Callable[[], None]:
    """Count leaks, time health checks, and emit an event for every finding.

    Repeated calls for the same providers change nothing.

    Args:
        meter_provider: Where the metrics go; the global one by default.
        logger_provider: Where the events go; the global one by default.

    Returns:
        A function that ends it.

    Raises:
        ModuleNotFoundError: The extra ``otel`` is not installed.
    """
    with of_extra("otel"):
        from opentelemetry import _logs, metrics
    meters = metrics.get_meter_provider() if meter_provider is None else meter_provider
    loggers = (
        _logs.get_logger_provider() if logger_provider is None else logger_provider
    )
    key = (meters, loggers)
    with _lock:
        if key not in _installed:
            meter = meters.get_meter(_SCOPE, __version__, _SCHEMA)
            logger = loggers.get_logger(_SCOPE, __version__, _SCHEMA)
            ends = [*_connect_metrics(meter), _connect_events(logger)]
            _installed[key] = lambda: _end(key, ends)
        return _installed[key]


def _end(key: tuple[Any, Any], ends: list[Callable[[], None]]) -> None:
    with _lock:
        _installed.pop(key, None)
    for end in ends:
        end()


def _connect_metrics(meter: Meter) -> list[Callable[[], None]]:
    leaks = meter.create_counter(
        "coroguard.leaks", unit="{leak}", description="Coroutines that escaped."
    )
    durations = meter.create_histogram(
        "coroguard.check.duration",
        unit="s",
        description="Response time of health checks.",
        explicit_bucket_boundaries_advisory=BUCKETS_S,
    )
    functions, checks = Names(), Names()

    def count(event: Event) -> None:
        if event.leak is not None:
            name = functions.bounded(event.guarded or event.leak.name)
            attributes = {
                "coroguard.leak.kind": event.leak.kind.value,
                "coroguard.action": event.action,
                "code.function.name": name,
            }
            leaks.add(1, attributes)

    def observe(call: Call) -> None:
        attributes = {
            "coroguard.check.name": checks.bounded(call.check),
            "coroguard.check.outcome": call.outcome,
        }
        durations.record(call.duration_ms / 1_000, attributes)

    return [subscribe(count), subscribe(observe, calls=True)]


def _connect_events(logger: Logger) -> Callable[[], None]:
    from opentelemetry._logs import LogRecord, SeverityNumber

    def emit(event: Event) -> None:
        is_raised = event.action == "raised"
        headline = str(event.error or event.reason).partition("\n")[0]
        record = LogRecord(
            timestamp=int(event.at.timestamp() * 1_000_000_000),
            severity_number=SeverityNumber.ERROR if is_raised else SeverityNumber.WARN,
            severity_text="ERROR" if is_raised else "WARN",
            body=headline,
            attributes={**_facts(event), **_exception(event)},
            event_name=EVENT_NAME,
        )
        logger.emit(record)

    return subscribe(emit)


def _facts(event: Event) -> dict[str, str | int | float]:
    """Return the attributes of an event, by the names of semantic conventions."""
    leak = event.leak
    file, _, line = event.place.rpartition(":")
    known = {
        "coroguard.leak.kind": leak.kind.value if leak else "",
        "coroguard.leak.what": leak.what if leak else "",
        "coroguard.leak.name": leak.name if leak else "",
        "coroguard.leak.defined": leak.defined if leak else "",
        "coroguard.leak.path": leak.path if leak else "",
        "coroguard.leak.advice": leak.advice if leak else "",
        "coroguard.action": event.action,
        "coroguard.guarded": event.guarded,
        "coroguard.mode": event.mode.value,
        "coroguard.request.id": event.request_id,
        "code.file.path": os.path.abspath(file) if file else "",
        "code.line.number": int(line or 0),
        "code.function.name": event.place_in,
        "http.request.method": event.method,
        "http.route": event.route,
    }
    return {name: value for name, value in known.items() if value}


def _exception(event: Event) -> dict[str, str]:
    """Return the attributes of the error, with the stack of the program.

    It has not been raised yet, so that it has no traceback of its own.
    """
    error = event.error
    if error is None:
        return {}
    kind = type(error)
    found = {
        "exception.type": f"{kind.__module__}.{kind.__qualname__}",
        "exception.message": str(error),
    }
    frame: Any = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    if frame is not None:
        found["exception.stacktrace"] = "".join(traceback.format_stack(frame))
    return found
