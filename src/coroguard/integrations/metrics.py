"""Buckets and label values of the metrics of all systems."""

from __future__ import annotations

#: Upper bounds of a check's duration, in seconds: those of probes.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
#: More names than code has are data that got into a name.
_MOST_NAMES = 1_000
_OTHER = "other"


class Names:
    """The values of a label: the first thousand, and one for all others.

    Names are bounded by the code, unless data got into them.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()

    def bounded(self, name: str) -> str:
        """Return the name, or the one for all others."""
        if name in self._known:
            return name
        if len(self._known) >= _MOST_NAMES:
            return _OTHER
        self._known.add(name)
        return name
