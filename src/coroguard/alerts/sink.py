"""The sink: a bounded queue, and a thread that sends what is new or has ended."""

from __future__ import annotations

import atexit
import datetime
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from queue import Empty
from typing import TYPE_CHECKING

from .._runtime.events import subscribe
from .._runtime.threads import allocate_lock, original, start_new_thread
from .alert import Alert, alert_of, labels_of_event
from .delivery import deliver

if TYPE_CHECKING:
    from queue import SimpleQueue

    from .._runtime.events import Event
    from .alert import Labels
    from .settings import AlertSettings

#: Most alerts that wait for the receiver, and most places that are remembered.
MOST_QUEUED = 1_000
_AT_EXIT_S = 2.0
_log = logging.getLogger("coroguard.alerts")


class Alerts:
    """Sends each alert once when it begins, and once when it ends.

    Nothing here blocks or raises in the thread that found a leak. A finalizer may
    call it in the middle of itself: the queue is reentrant, and no lock is waited for.

    Args:
        settings: The receiver, and what each alert states.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self.settings = settings
        self._unsubscribe: Callable[[], None] | None = None
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        # An alert fires, its labels resolve it, and ``None`` ends the thread.
        queue = original("_queue", "SimpleQueue")
        self._queue: SimpleQueue[Alert | Labels | None] = queue()
        #: The time at which the place of an event was last seen.
        self._seen: dict[Labels, float] = {}
        #: Alerts that fire at the receiver, and the times sent; the thread's own.
        self._open: dict[Labels, Alert] = {}
        self._sent: dict[Labels, float] = {}
        self._dropped = 0
        self._is_closed = False
        self._starting, self._closing, self._running = (
            allocate_lock() for _ in range(3)
        )
        self._closing.acquire()

    @property
    def is_subscribed(self) -> bool:
        """Whether events fire alerts."""
        return self._unsubscribe is not None

    def subscribe(self) -> None:
        """Fire an alert for each event from now on."""
        if self._unsubscribe is None:
            self._unsubscribe = subscribe(self.on_event)
            atexit.register(self.close, _AT_EXIT_S)

    def on_event(self, event: Event) -> None:
        """Fire the alert of an event, unless its place has one already."""
        self._after_fork()
        labels = labels_of_event(event, self.settings)
        if not labels:
            return
        is_new = labels not in self._seen
        if is_new and len(self._seen) >= MOST_QUEUED:
            self._dropped += 1
            return
        self._seen[labels] = time.monotonic()
        if is_new and not self._put(alert_of(event, labels, self.settings)):
            self._seen.pop(labels, None)

    def fire(self, alert: Alert) -> None:
        """Send an alert, unless it fires already; it fires until it is resolved."""
        self._after_fork()
        self._put(alert)

    def resolve(self, labels: Labels) -> None:
        """Send that an alert has ended, if it fires."""
        self._after_fork()
        self._put(labels)

    def close(self, timeout_s: float = 5.0) -> None:
        """Send the queued alerts, without further retries, and end the thread.

        Args:
            timeout_s: The longest time to wait for that.
        """
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            atexit.unregister(self.close)
        if self._is_closed or self._pid != os.getpid():
            return
        self._is_closed = True
        self._closing.release()
        self._queue.put(None)
        if self._running.acquire(timeout=timeout_s):
            self._running.release()

    def _after_fork(self) -> None:
        """Start afresh in a forked child, where the thread does not live."""
        if self._pid != os.getpid():
            self._reset()

    def _put(self, item: Alert | Labels) -> bool:
        if self._is_closed or self._queue.qsize() >= MOST_QUEUED:
            self._dropped += 1
            return False
        self._queue.put(item)
        if self._starting.acquire(blocking=False):  # never released: one thread
            self._running.acquire()
            try:
                start_new_thread(self._run, ())
            except RuntimeError:  # the interpreter ends
                self._running.release()
        return True

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._running.release()

    def _turn(self) -> bool:
        """Send the alerts that are due; return whether the sink is still open."""
        items, goes_on = self._take()
        try:
            for due in _batches([*self._changed(items), *self._quiet()]):
                self._send(due)
        except Exception:
            _log.exception("alerts were lost")
        return goes_on

    def _take(self) -> tuple[list[Alert | Labels], bool]:
        """Wait for the next item, and take all that are there."""
        items: list[Alert | Labels] = []
        try:
            item = self._queue.get(timeout=self._next_s())
            while item is not None:
                items.append(item)
                item = self._queue.get_nowait()
        except Empty:
            return items, True
        return items, False

    def _next_s(self) -> float | None:
        """Return the seconds until a place may have been quiet for long enough."""
        seen = [
            last for labels, last in self._seen.copy().items() if labels in self._open
        ]
        if not seen:
            return None
        return max(0.0, min(seen) + self.settings.resolve_after_s - time.monotonic())

    def _changed(self, items: Sequence[Alert | Labels]) -> Iterator[Alert]:
        """Yield the alerts that begin or end with these items."""
        for item in items:
            if isinstance(item, Alert):
                if item.labels not in self._open or self._is_stale(item.labels):
                    yield self._open.setdefault(item.labels, item)
            elif item in self._open:
                yield replace(self._open.pop(item), ended=_now())

    def _quiet(self) -> Iterator[Alert]:
        """Yield the alerts of places that were quiet, resolved, and what to repeat."""
        now, after = time.monotonic(), self.settings.resolve_after_s
        for labels, alert in [*self._open.items()]:
            last = self._seen.get(labels)
            if last is None:
                continue
            if now - last >= after:
                last = self._seen.pop(labels, last)
                if now - last >= after:
                    yield replace(self._open.pop(labels), ended=_now())
                    continue
                self._seen.setdefault(labels, last)  # seen again meanwhile
            if self._is_stale(labels) and last > self._sent[labels]:
                yield alert

    def _is_stale(self, labels: Labels) -> bool:
        """Return whether Alertmanager is going to end an alert that still fires."""
        sent = self._sent.get(labels)
        after = self.settings.resolve_after_s
        return (
            self.settings.is_api
            and sent is not None
            and time.monotonic() - sent >= after
        )

    def _send(self, due: Sequence[Alert]) -> None:
        dropped = self._dropped
        why = deliver(due, self.settings, dropped=dropped, wait=self._wait)
        for alert in due:
            if alert.ended or why:
                # One that did not arrive is sent when its place is seen again.
                self._open.pop(alert.labels, None)
                self._sent.pop(alert.labels, None)
                self._seen.pop(alert.labels, None)
            else:
                self._sent[alert.labels] = time.monotonic()
        if why:
            _log.warning("%d alerts were not delivered: %s", len(due), why)
        else:
            self._dropped -= dropped

    def _wait(self, seconds: float) -> bool:
        """Wait; return whether the sink is closed meanwhile."""
        is_closed: bool = self._closing.acquire(timeout=seconds)
        if is_closed:
            self._closing.release()
        return is_closed


def _batches(due: Sequence[Alert]) -> Iterator[list[Alert]]:
    """Split alerts into requests that have one state of each alert."""
    batch: dict[Labels, Alert] = {}
    for alert in due:
        if alert.labels in batch:
            yield [*batch.values()]
            batch = {}
        batch[alert.labels] = alert
    if batch:
        yield [*batch.values()]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
