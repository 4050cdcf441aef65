"""Samples of a run under load: counted by second and name, and summed up."""

# Imported by Locust's processes too, so it imports nothing.

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

#: Kinds of errors that no load and no fault excuses.
NEVER = ("Lost", "Mixed")


@dataclass(slots=True)
class Bucket:
    """The requests of one name that ended within one second.

    Args:
        times_ms: How many took how many milliseconds, errors included.
        errors: How many failed, by the name and the text of the error.
    """

    times_ms: Counter[int] = field(default_factory=Counter[int])
    errors: Counter[str] = field(default_factory=Counter[str])

    @property
    def requests(self) -> int:
        """Count the requests."""
        return self.times_ms.total()

    @property
    def failed(self) -> int:
        """Count those that failed."""
        return self.errors.total()

    @property
    def error_rate(self) -> float | None:
        """Return the share of errors; ``None`` without samples."""
        return self.failed / self.requests if self.requests else None

    def percentile(self, percent: float) -> int | None:
        """Return a percentile in milliseconds; ``None`` without samples."""
        left = self.requests * percent / 100
        for time_ms in sorted(self.times_ms):
            left -= self.times_ms[time_ms]
            if left <= 0:
                return time_ms
        return None

    def add(self, other: Bucket) -> None:
        """Add the requests of another one."""
        self.times_ms.update(other.times_ms)
        self.errors.update(other.errors)


class Samples:
    """The buckets of a run, by second of the clock and name."""

    def __init__(self) -> None:
        self.buckets: dict[tuple[int, str], Bucket] = {}

    def note(self, second: int, name: str, time_ms: float, error: str = "") -> None:
        """Count one request."""
        bucket = self.buckets.setdefault((second, name), Bucket())
        bucket.times_ms[round(time_ms)] += 1
        if error:
            bucket.errors[error] += 1

    def take(self) -> list[Any]:
        """Return all buckets as plain data, and begin anew."""
        found = [
            [second, name, [*bucket.times_ms.items()], [*bucket.errors.items()]]
            for (second, name), bucket in sorted(self.buckets.items())
        ]
        self.buckets = {}
        return found

    def merge(self, data: Iterable[Any]) -> None:
        """Add a result of `take`, of this process or of another one."""
        for second, name, times, errors in data:
            bucket = self.buckets.setdefault((second, name), Bucket())
            bucket.add(
                Bucket(
                    Counter({int(time): count for time, count in times}),
                    Counter({str(error): count for error, count in errors}),
                )
            )

    @property
    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted({name for _, name in self.buckets})

    def total(
        self, name: str = "", within: Iterable[tuple[float, float]] | None = None
    ) -> Bucket:
        """Sum up the requests.

        Args:
            name: Only those of this name; empty is all.
            within: Only the seconds in these spans, each from and up to a second.
        """
        spans = None if within is None else list(within)
        total = Bucket()
        for (second, its), bucket in self.buckets.items():
            inside = spans is None or any(a <= second < b for a, b in spans)
            if inside and name in ("", its):
                total.add(bucket)
        return total
