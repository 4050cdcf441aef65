"""The work of `coroguard monitor`."""

from __future__ import annotations

import datetime
import enum
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .._leaks.errors import GuardUsageError
from .._pyproject import find_root
from .._runtime.events import emit_call
from ..alerts.settings import read_settings
from ..alerts.sink import Alerts
from ..gates.signals import ended_by_signals
from .alerting import send_alerts
from .drift import drift_from
from .findings import Round
from .schedule import Schedule, seconds_of, usage_error
from .screen import shown
from .validation import Validation

if TYPE_CHECKING:
    from .findings import Finding

_FILE = "coroguard.lock"
_SIGNALLED = 128


class _Code(enum.IntEnum):
    """Exit codes; `docs/reference/exit-codes.md` lists them."""

    HEALTHY = 0
    FAILED = 1
    USAGE = 2


def monitor(
    *,
    path: str,
    every: str = "30s",
    once: bool = False,
    deadline_s: float = 0.8,
    port: int | None = None,
    host: str = "127.0.0.1",
    alert: bool = False,
    lock: Path | None = None,
    drift_every: str = "10m",
) -> int:
    """Validate health and the lock on a schedule, until a signal comes.

    Args:
        path: The checks, as ``module:name``.
        every: How often to run them.
        once: Run all once, and return what was found.
        deadline_s: Seconds that each check may take.
        port: Where Prometheus may scrape; ``None`` for no metrics, 0 for a free one.
        host: The address to listen on for that.
        alert: Send alerts of leaks, failing checks and drift.
        lock: The lock; by default ``coroguard.lock`` of the project, if there is one.
        drift_every: How often to compare the code with the lock.

    Returns:
        0 when a signal ended it, or with ``once`` where all is healthy; 1 with
        ``once`` where something failed; 2 for wrong arguments.
    """
    with ExitStack() as stack:
        try:
            every_s = seconds_of(every, "--every")
            drift_s = seconds_of(drift_every, "--drift-every")
            locked = _lock_of_project(lock)
            alerts = _alerts(every_s) if alert else None
            if alerts is not None:
                alerts.subscribe()
                stack.callback(alerts.close)
            if port is not None:
                _serve_metrics(port, host, stack)
            validation = Validation(path, deadline_s)
        except (GuardUsageError, ModuleNotFoundError, OSError) as error:
            sys.stderr.write(f"coroguard: {error}\n")
            return _Code.USAGE
        show = stack.enter_context(shown(path))
        rounds = _Rounds(validation, locked, drift_s, alerts, show)
        try:
            with ended_by_signals():
                if once:
                    return _Code.HEALTHY if rounds.run().healthy else _Code.FAILED
                _run_for_ever(rounds, Schedule(every_s))
        except SystemExit as end:
            # Its usual end, which a supervisor must not take for a failure.
            is_signal = isinstance(end.code, int) and end.code > _SIGNALLED
            if once or not is_signal:
                raise
        except BrokenPipeError:
            # The reader has gone, as `head` does.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _Code.HEALTHY


class _Rounds:
    """The rounds of a monitor, which run each job when it is due.

    Args:
        validation: The health checks, which are always due.
        lock: The lock to compare the code with; ``None`` for none.
        drift_s: Seconds from one comparison to the next.
        alerts: Where alerts go; ``None`` for nowhere.
        show: Shows each round.
    """

    def __init__(
        self,
        validation: Validation,
        lock: Path | None,
        drift_s: float,
        alerts: Alerts | None,
        show: Callable[[Round], None],
    ) -> None:
        self._validation = validation
        self._lock = lock
        self._drift_due = Schedule(drift_s)
        self._drift: list[Finding] = []
        self._alerts = alerts
        self._show = show

    def run(self) -> Round:
        """Run one round."""
        at = datetime.datetime.now(datetime.UTC)
        findings = self._validation.run()
        if self._lock is not None and self._drift_due.is_due():
            self._drift = [self._compared(self._lock)]
        found = Round(findings=[*findings, *self._drift], at=at)
        if self._alerts is not None:
            send_alerts(found, self._alerts)
        self._show(found)
        return found

    def _compared(self, lock: Path) -> Finding:
        started = time.perf_counter()
        found = drift_from(lock)
        emit_call(found.check, found.status, started)
        return found


def _run_for_ever(rounds: _Rounds, schedule: Schedule) -> None:
    while True:
        if schedule.is_due():
            rounds.run()
        time.sleep(schedule.wait_s())


def _lock_of_project(lock: Path | None) -> Path | None:
    if lock is None:
        found = find_root(Path.cwd()) / _FILE
        return found if found.is_file() else None
    if not lock.is_file():
        raise usage_error(f"there is no lock {lock}; run coroguard lock PACKAGE")
    return lock


def _alerts(every_s: float) -> Alerts:
    """Return a sink whose alerts outlast the time from one round to the next."""
    settings = read_settings()
    after_s = max(settings.resolve_after_s, every_s)
    return Alerts(replace(settings, resolve_after_s=after_s))


def _serve_metrics(port: int, host: str, stack: ExitStack) -> None:
    """Serve the metrics until the stack ends."""
    from ..integrations import prometheus

    stack.callback(prometheus.install())
    from prometheus_client import start_http_server

    server, thread = start_http_server(port, host)
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    sys.stderr.write(f"metrics at http://{host}:{server.server_port}/metrics\n")
