"""Leaks that are reported while a gate looks at something else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coroguard._leaks.symptoms import symptom
from coroguard._runtime.events import subscribe

if TYPE_CHECKING:
    from coroguard._runtime.events import Event

_OF_OURS = ("coroguard.CoroutineLeakError: ", "coroguard reported a leak: ")


@contextmanager
def reported_leaks() -> Generator[list[str], None, None]:
    """Keep every leak that a guard of this process reports, raised or not."""
    leaks: list[str] = []

    def note(event: Event) -> None:
        if event.leak is not None:
            found = event.leak
            leaks.append(f"{event.guarded}: {found.kind} {found.name}; {found.advice}")

    unsubscribe = subscribe(note)
    try:
        yield leaks
    finally:
        unsubscribe()


def leaks_in(log: str) -> list[str]:
    """Return the lines of a log that show a leak, each once."""
    lines = dict.fromkeys(line.strip() for line in log.splitlines())
    return [line for line in lines if _has_leak(line)]


def _has_leak(line: str) -> bool:
    return any(text in line for text in _OF_OURS) or symptom(line) is not None
