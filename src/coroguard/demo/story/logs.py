"""Which part of a service's real log tells what happened?"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SEED_ERROR", "last_error", "leak_block", "leak_record"]

SEED_ERROR = "AttributeError: 'coroutine' object has no attribute 'get'"


def leak_block(log: str) -> str:
    """Return the first leak error as it stands in the log; empty where none does."""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        # A traceback names the error with the module that defines it.
        if re.match(r"coroguard(\.\w+)?\.CoroutineLeakError: ", line):
            return "\n".join([line, *_labelled(lines[number + 1 :])])
    return ""


def leak_record(log: str, *parts: str) -> str:
    """Return the first record of the logger `coroguard.leak` that has these parts.

    Empty where there is none; without parts, any record will do.
    """
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if "coroguard.leak: " in line and all(part in line for part in parts):
            return "\n".join([line, *_labelled(lines[number + 1 :])])
    return ""


def last_error(log: str, *, frames: int = 2) -> str:
    """Return the end of the log's last traceback: some frames and the error."""
    lines = log.splitlines()
    ends = [number for number, line in enumerate(lines) if line == SEED_ERROR]
    if not ends:
        return ""
    block = lines[: ends[-1] + 1]
    starts = [n for n, line in enumerate(block) if line.startswith("  File ")]
    return "\n".join(block[starts[-frames] :])


def _labelled(lines: Iterable[str]) -> list[str]:
    """Return the labelled lines that follow a headline."""
    return list(takewhile(re.compile(r"  \w+: ").match, lines))
