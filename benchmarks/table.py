"""Measurements, their targets, and how both are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["Section", "Target", "markdown", "per_call", "text", "verdicts"]


@dataclass(frozen=True, slots=True)
class Target:
    """A line of the design, and what came out.

    Args:
        claim: What is compared with what.
        measured: The number that was measured.
        limit: The most, or the least, that it should be.
        unit: Follows both numbers.
        at_least: Whether the limit is a least.
        why: Why the limit is missed, where it is known; shown if it is.
    """

    claim: str
    measured: float
    limit: float
    unit: str = " x"
    at_least: bool = False
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether the number keeps within the limit."""
        if self.at_least:
            return self.measured >= self.limit
        return self.measured <= self.limit

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The claim, the number, the limit and the verdict."""
        bound = "≥" if self.at_least else "≤"
        return (
            self.claim,
            f"{_number(self.measured)}{self.unit}",
            f"{bound} {_number(self.limit)}{self.unit}",
            "met" if self.met else "missed",
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One measurement.

    Args:
        title: What was measured.
        columns: Heads of the columns; the first is text, the others numbers.
        rows: As many cells each.
        targets: The lines of the design that it answers to.
        notes: What one has to know to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    targets: list[Target] = field(default_factory=list)
    notes: tuple[str, ...] = ()


_TARGET_COLUMNS = ("target", "measured", "limit", "verdict")


def per_call(best: dict[str, float], *references: str) -> list[tuple[str, ...]]:
    """Return a row for each call: its time, and its ratio to each reference."""
    return [
        (name, duration(took), *(_ratio(took / best[other]) for other in references))
        for name, took in best.items()
    ]


def duration(seconds: float) -> str:
    """Write a time with its unit, in three digits."""
    for unit, scale in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * scale < 1_000:
            return f"{_number(seconds * scale)} {unit}"
    return f"{_number(seconds)} s"


def verdicts(sections: list[Section]) -> Section:
    """Gather every target into one table."""
    rows = [target.cells for section in sections for target in section.targets]
    return Section("Targets", _TARGET_COLUMNS, list(rows))


def text(section: Section) -> str:
    """Write a section out in aligned columns."""
    table = [section.columns, *section.rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [section.title, "=" * len(section.title)]
    for row in table:
        first, *rest = (
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *rest]).rstrip())
        if row is section.columns:
            lines.append("  ".join("-" * width for width in widths))
    lines += [
        f"{verdict.upper():>6}  {claim}: {measured} ({limit})"
        for claim, measured, limit, verdict in (t.cells for t in section.targets)
    ]
    lines += [f"        {note}" for note in section.notes]
    return "\n".join(lines)


def markdown(section: Section, level: int = 2) -> str:
    """Write a section out for a page."""
    lines = [f"{'#' * level} {section.title}", ""]
    lines += [
        "| " + " | ".join(section.columns) + " |",
        "|---" + "|---:" * (len(section.columns) - 1) + "|",
        *("| " + " | ".join(row) + " |" for row in section.rows),
    ]
    for target in section.targets:
        claim, measured, limit, verdict = target.cells
        why = f" Reason: {target.why}." if target.why and not target.met else ""
        verdict = verdict.capitalize()
        lines += ["", f"**{verdict}**: {claim}: {measured} ({limit}).{why}"]
    for note in section.notes:
        lines += ["", note]
    return "\n".join(lines)


def _ratio(value: float) -> str:
    return f"{value:.2f} x" if value < 100 else f"{value:,.0f} x"


def _number(value: float) -> str:
    """Write a number in three digits, or a little more."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    decimals = 3 if 0 < size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:,.{decimals}f}"
