"""The metrics of a service, read while it is under load."""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Self

from .report import Metrics

LEAKS = "coroguard_leaks_total"
_MEMORY = "process_resident_memory_bytes"
_EVERY_S = 1.0
_TIMEOUT_S = 5.0
# Source: the text format of Prometheus, version 0.0.4, and OpenMetrics 1.0, in which
# the TYPE line of a counter lacks the suffix.
_SAMPLE = re.compile(r"^(\w+)(\{.*\})?\s+([-+.\deE]+|NaN|[-+]Inf)(?:\s|$)")
_TYPE = re.compile(
    rf"^# TYPE {LEAKS.removesuffix('_total')}(?:_total)? counter\s*$", re.M
)


class Watcher:
    """Reads the metrics each second on a thread, from before the load to its end.

    Args:
        url: Where the metrics are.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._before: Mapping[str, float] | None = None
        self._leaks = 0.0
        self._memory: list[tuple[float, float]] = []
        self._problem = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        # Leaks of the last second, and whether the metrics are still there.
        self._problem = ""
        self._look()

    def metrics(self, started: float) -> Metrics:
        """Return what was found, with times since the start of the load."""
        memory = [(round(at - started, 1), mb) for at, mb in self._memory]
        known = self._before is not None and not self._problem
        return Metrics(int(self._leaks) if known else None, memory, self._problem)

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        try:
            with urllib.request.urlopen(self._url, timeout=_TIMEOUT_S) as answer:
                text = answer.read().decode("utf-8", "replace")
        except OSError as error:
            # In a fault this is expected; the last look decides.
            self._problem = f"{self._url}: {error}"
            return
        now = leaks_in(text)
        if now is None:
            self._problem = f"{self._url} has no metric {LEAKS}"
            return
        if self._before is not None:
            self._leaks += grown(self._before, now)
        self._before = now
        memory = sum(value for name, _, value in samples_in(text) if name == _MEMORY)
        if memory:
            self._memory.append((time.time(), round(memory / 1e6, 1)))


def samples_in(text: str) -> list[tuple[str, str, float]]:
    """Return name, labels and value of each sample."""
    found = map(_SAMPLE.match, text.splitlines())
    return [(it[1], it[2] or "", float(it[3])) for it in found if it]


def leaks_in(text: str) -> dict[str, float] | None:
    """Return the leaks by labels; ``None`` where the metric does not exist."""
    series = {
        labels: value for name, labels, value in samples_in(text) if name == LEAKS
    }
    # With labels, a counter has no sample before the first leak.
    return series if series or _TYPE.search(text) else None


def grown(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Return by how much counters have grown; one that fell has begun anew."""
    return sum(
        value - before.get(labels, 0.0) if value >= before.get(labels, 0.0) else value
        for labels, value in now.items()
    )
