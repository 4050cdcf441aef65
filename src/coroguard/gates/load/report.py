"""The report of a run under load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .samples import Samples

#: Version of the shape of `to_json`.
SCHEMA = 1
PERCENTS = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was injected, in seconds since the start.

    Args:
        name: What happened.
        began_s: When it began.
        ended_s: When it was over.
        error: Why it could not begin or end; empty if it could.
    """

    name: str
    began_s: float
    ended_s: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of the service's metrics.

    Args:
        leaks: How many coroutines leaked during the run; ``None`` if unknown.
        memory_mb: Resident memory by second since the start.
        problem: Why a number is missing; empty if none is.
    """

    leaks: int | None = None
    memory_mb: Sequence[tuple[float, float]] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The results of a run under load.

    Args:
        samples: The requests, by second of the clock.
        started: When the users started, in seconds of the clock.
        ready: When all of them were there.
        duration_s: How long they ran.
        users: How many users there were at most.
        workers: How many processes or machines made the load; 0 for a single one.
        lost_workers: Names of those that did not report their end.
        exceptions: Exceptions in the code of users, each with how often.
        broken: Why there is no report; empty if there is one.
        faults: The injected faults.
        metrics: What the service's metrics showed; ``None`` if they were not asked.
        output: The end of what Locust printed.
    """

    samples: Samples = field(default_factory=Samples)
    started: float = 0.0
    ready: float = 0.0
    duration_s: float = 0.0
    users: int = 0
    workers: int = 0
    lost_workers: tuple[str, ...] = ()
    exceptions: Mapping[str, int] = field(default_factory=dict[str, int])
    broken: str = ""
    faults: tuple[Fault, ...] = ()
    metrics: Metrics | None = None
    output: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LoadReport:
        """Build it from the recorder's file."""
        samples = Samples()
        samples.merge(data["samples"])
        return cls(
            samples=samples,
            started=data["started"],
            ready=data["ready"],
            duration_s=data["duration_s"],
            users=data["users"],
            workers=data["workers"],
            lost_workers=tuple(data["lost_workers"]),
            exceptions=data["exceptions"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data: totals by name, and a line for each second."""
        names = {name: _summed(self.samples, name) for name in self.samples.names}
        return {
            "schema": SCHEMA,
            "started": self.started,
            "duration_s": round(self.duration_s, 1),
            "users": self.users,
            "workers": self.workers,
            "lost_workers": list(self.lost_workers),
            "exceptions": dict(self.exceptions),
            "broken": self.broken,
            "faults": [asdict(fault) for fault in self.faults],
            "metrics": self.metrics and asdict(self.metrics),
            "total": _summed(self.samples, ""),
            "names": names,
            "seconds": [asdict(second) for second in self.seconds],
        }

    @property
    def seconds(self) -> list[Second]:
        """Return each second of the run, those without a request included."""
        by_second: dict[int, Samples] = {}
        for (second, name), bucket in self.samples.buckets.items():
            own = by_second.setdefault(int(second - self.started), Samples())
            own.buckets[second, name] = bucket
        last = max([*by_second, int(self.duration_s) - 1], default=-1)
        return [
            Second.of(number, by_second.get(number, Samples()))
            for number in range(last + 1)
        ]


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a run; percentiles of nothing are ``None``."""

    second: int
    requests: int
    failed: int
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None

    @classmethod
    def of(cls, number: int, samples: Samples) -> Second:
        """Sum up the requests of one second."""
        total = samples.total()
        p50, p95, p99 = (total.percentile(percent) for percent in PERCENTS)
        return cls(number, total.requests, total.failed, p50, p95, p99)


def _summed(samples: Samples, name: str) -> dict[str, Any]:
    total = samples.total(name)
    times = {f"p{percent}_ms": total.percentile(percent) for percent in PERCENTS}
    return {
        "requests": total.requests,
        "failed": total.failed,
        "error_rate": total.error_rate,
        **times,
        "max_ms": max(total.times_ms, default=None),
        "errors": dict(total.errors.most_common(20)),
    }
