"""Findings: names that collide, and guards that were lost."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .._leaks.leak import labelled_lines


class FindingKind(enum.StrEnum):
    """A fault of a name."""

    # Found by the audit.
    DEFINED_TWICE = "defined twice"
    IMPORTED_TWICE = "imported twice"
    WRONG_CALL = "wrong call"
    ASYNC_CALLBACK = "async callback"
    CALLED_CALLBACK = "called callback"
    NOT_CALLED = "not called"
    ASYNC_METHOD = "async method"
    ASYNC_PROPERTY = "async property"
    MIXED_RETURN = "mixed return"
    LOST_TASK = "lost task"
    OVERRIDE = "override"
    TWO_NAMES = "two names"
    SHADOWED = "shadowed"
    # A guard that is not where it was put.
    UNRESOLVED = "unresolved"
    UNGUARDED = "unguarded"
    # Found by the lock.
    COLOUR_CHANGED = "colour changed"
    CONTRACT_CHANGED = "contract changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A name that contradicts how it is used; strings only.

    Args:
        kind: What is wrong.
        name: The name, as ``module:qualified.name``; of a module, the module's.
        headline: Who and what, in one line.
        first: One of the two places, as ``file:line`` with what is there.
        second: The other place; empty where there is only one.
        advice: What to type to fix it.
    """

    kind: FindingKind
    name: str
    headline: str
    first: str
    second: str = ""
    advice: str

    def __str__(self) -> str:
        """Format it as errors are: a headline, labelled lines, the last the fix."""
        return labelled_lines(
            self.headline, first=self.first, second=self.second, fix=self.advice
        )
