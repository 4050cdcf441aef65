"""Leaks and health checks as metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from .._runtime import modes
from .._runtime.events import subscribe
from ..health.left import left_behind
from .extras import of_extra
from .metrics import BUCKETS_S, Names

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from .._runtime.events import Call, Event

__all__ = ["install"]


_lock = Lock()
_installed: dict[CollectorRegistry, Callable[[], None]] = {}


def install(registry: CollectorRegistry | None = None) -> Callable[[], None]:
    """Count leaks, and time health checks, in a registry of Prometheus.

    Repeated calls for one registry change nothing. Under several workers,
    ``PROMETHEUS_MULTIPROC_DIR`` works as for all metrics of ``prometheus_client``.

    Args:
        registry: The registry; that of the process by default.

    Returns:
        A function that takes the metrics back.

    Raises:
        ModuleNotFoundError: The extra ``prometheus`` is not installed.
    """
    with of_extra("prometheus"):
        from prometheus_client import REGISTRY
    registry = REGISTRY if registry is None else registry
    with _lock:
        if registry not in _installed:
            _installed[registry] = _connect(registry)
        return _installed[registry]


def _connect(registry: CollectorRegistry) -> Callable[[], None]:
    from prometheus_client import Counter, Gauge, Histogram

    leaks = Counter(
        "coroguard_leaks",
        "Coroutines that escaped, by the function that was guarded.",
        ("function", "kind"),
        registry=registry,
    )
    durations = Histogram(
        "coroguard_check_duration_seconds",
        "Response time of health checks.",
        ("check",),
        buckets=BUCKETS_S,
        registry=registry,
    )
    healthy = Gauge(
        "coroguard_check_healthy",
        "1 if the last call of a health check passed, else 0.",
        ("check",),
        multiprocess_mode="livemin",
        registry=registry,
    )
    mode = Gauge(
        "coroguard_mode",
        "1 for the mode of the process, 0 for the others.",
        ("mode",),
        multiprocess_mode="livemax",
        registry=registry,
    )
    left = Gauge(
        "coroguard_checks_left_behind",
        "Runs of health checks that have outlived their deadline.",
        multiprocess_mode="livesum",
        registry=registry,
    )
    functions, checks = Names(), Names()

    def count(event: Event) -> None:
        if event.leak is not None:
            function = functions.bounded(event.guarded or event.leak.name)
            leaks.labels(function, event.leak.kind.value).inc()

    def observe(call: Call) -> None:
        check = checks.bounded(call.check)
        durations.labels(check).observe(call.duration_ms / 1_000)
        if call.is_healthy is not None:
            healthy.labels(check).set(call.is_healthy)
        left.set(left_behind())

    def show_mode() -> None:
        for one in modes.Mode:
            mode.labels(one.value).set(one is modes.process.mode)

    show_mode()
    modes.on_change.append(show_mode)
    ends = [subscribe(count), subscribe(observe, calls=True)]

    def uninstall() -> None:
        with _lock:
            if _installed.pop(registry, None) is None:
                return
        modes.on_change.remove(show_mode)
        for end in ends:
            end()
        for metric in (leaks, durations, healthy, mode, left):
            registry.unregister(metric)

    return uninstall
