"""The outcome of a matrix: its cells, and the settings that make them red."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..readiness import ExitCode, GateResult, Readiness
from ..verdict import Judgement, Verdict

if TYPE_CHECKING:
    from .combinations import Settings
    from .config import Value

_VERDICTS = {
    ExitCode.READY: Verdict.PASSED,
    ExitCode.FAILED: Verdict.FAILED,
    ExitCode.INTERNAL: Verdict.ERROR,
    ExitCode.INCOMPLETE: Verdict.INCOMPLETE,
    ExitCode.FLAKY: Verdict.FLAKY,
}
_RED = (Verdict.FAILED, Verdict.ERROR, Verdict.FLAKY)
_WORST_FIRST = (*_RED, Verdict.INCOMPLETE, Verdict.NOT_RUN, Verdict.WAIVED)


@dataclass(frozen=True, slots=True)
class CellResult:
    """A cell with the verdicts of its gates.

    Args:
        number: Its number, from 1.
        settings: The value of each axis.
        added: Whether it was added to find the cause of a failure.
        readiness: The readiness of the gates in it; empty if it could not run.
        could_not: Why it could not run; empty if it ran.
        versions: Versions of Python and of the packages on the axes.
    """

    number: int
    settings: Mapping[str, Value]
    added: bool = False
    readiness: Readiness = field(default_factory=Readiness)
    could_not: str = ""
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    duration_s: float = 0.0

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code that the cell alone would have."""
        return ExitCode.INCOMPLETE if self.could_not else self.readiness.exit_code

    @property
    def verdict(self) -> Verdict:
        """Return the verdict of the cell."""
        return _VERDICTS[self.exit_code]

    @property
    def is_red(self) -> bool:
        """Whether something failed in it; a cell that could not run has not failed."""
        return self.verdict in _RED

    @property
    def label(self) -> str:
        """Return its settings in one line."""
        return ", ".join(shown(*setting) for setting in self.settings.items())

    @property
    def reason(self) -> str:
        """Return the first reason why it is not green; empty if it is."""
        if self.could_not or self.verdict is Verdict.PASSED:
            return self.could_not
        if self.readiness.problem:
            return self.readiness.problem[1].partition("\n")[0]
        red = sorted(
            (result for result in self.readiness.results if result.blocks),
            key=lambda result: _WORST_FIRST.index(result.verdict),
        )
        reasons = [it for result in red[:1] for it in result.judgement.reasons[:1]]
        return f"{red[0].gate.name}: {', '.join(reasons)}" if red else ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "number": self.number,
            "settings": dict(self.settings),
            "added": self.added,
            "verdict": self.verdict,
            "reason": self.reason,
            "gates": {it.gate.name: it.verdict for it in self.readiness.results},
            "versions": dict(self.versions),
            "duration_s": round(self.duration_s, 3),
        }


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every cell that was tried.

    Args:
        cells: The cells, in the order in which they were chosen.
        causes: The settings at which gates fail, as sentences.
        possible: How many cells all combinations would be.
        minimum: How many cells have to run.
        full: Whether all combinations were asked for, and not only all pairs.
    """

    cells: Sequence[CellResult] = ()
    causes: tuple[str, ...] = ()
    possible: int = 0
    minimum: int = 0
    full: bool = False

    @property
    def ran(self) -> int:
        """Count the cells that ran, without those that were added."""
        return sum(not (cell.could_not or cell.added) for cell in self.cells)

    @property
    def exit_codes(self) -> set[ExitCode]:
        """Return the exit codes of the cells, and 4 for too few of them."""
        found = {cell.exit_code for cell in self.cells}
        return found | ({ExitCode.INCOMPLETE} if self.lacks else set())

    @property
    def lacks(self) -> str:
        """Return why the cells are too few to prove anything; empty if they are not."""
        least = max(self.minimum, 1)
        return f"{self.ran} cells ran, at least {least}" if self.ran < least else ""

    @property
    def evidence(self) -> str:
        """The reason for the verdict, in one line."""
        chosen = sum(not cell.added for cell in self.cells)
        added = len(self.cells) - chosen
        kind = "all" if self.full else "every pair"
        more = f", and {added} to find the cause" if added else ""
        least = f" (>= {self.minimum})" if self.minimum else ""
        cells = f"{self.ran} of {chosen} cells{least} ran"
        return f"{cells}, {kind} of {self.possible} combinations{more}"

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield number, settings, verdict and time of each cell, to be shown."""
        for cell in self.cells:
            number = f"{cell.number}+" if cell.added else str(cell.number)
            yield number, cell.label, str(cell.verdict), f"{cell.duration_s:.1f} s"

    def reasons(self) -> Iterator[str]:
        """Yield why cells are not green, the causes first."""
        yield from self.causes
        if self.lacks:
            yield self.lacks
        for cell in self.cells:
            if cell.reason:
                where = f"cell {cell.number} ({cell.label})"
                yield f"{where}: {cell.verdict}: {cell.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "full": self.full,
            "possible": self.possible,
            "minimum": self.minimum,
            "ran": self.ran,
            "cells": [cell.to_json() for cell in self.cells],
            "causes": list(self.causes),
        }


def shown(axis: str, value: Value) -> str:
    """Return a setting as an item of a list."""
    match axis, value:
        case _, False:
            return f"no {axis}"
        case _, True:
            return f"{axis} as it is here"
        case "flags", "":
            return "no flags"
        case "flags" | "loop", _:
            return str(value)
        case (("mode" | "python"), _):
            return f"{axis} {value}"
        case _:
            return f"{axis}={value}"


def stated(axis: str, value: Value) -> str:
    """Return a setting as a clause of a sentence."""
    match axis, value:
        case _, False:
            return f"{axis} is unset"
        case _, True:
            return f"{axis} is as it is here"
        case "flags", "":
            return "no flag is set"
        case "flags", _:
            return f"the flag is {value}"
        case "mode" | "loop", _:
            return f"the {axis} is {value}"
        case "python", _:
            return f"Python is {value}"
        case _:
            return f"{axis} is {value}"


def sentences(
    groups: Sequence[Sequence[Settings]], axes: Mapping[str, Sequence[Value]]
) -> Iterator[str]:
    """Yield where gates fail, one sentence for each cause."""
    names = list(axes)
    exactly = "exactly " if len(groups) == 1 else ""
    for group in groups:
        options = [
            " and ".join(
                stated(names[axis], axes[names[axis]][value])
                for axis, value in sorted(settings)
            )
            for settings in group
        ]
        if options == [""]:
            yield "fails in every cell"
        elif len(options) == 1:
            yield f"fails {exactly}where {options[0]}"
        else:
            either = "; or where ".join(options)
            yield f"fails where {either} (no cell distinguishes them)"


def worst_of(cells: Sequence[CellResult]) -> list[GateResult]:
    """Return each gate as it is in the cell where it is worst, named in its reasons."""
    worst: dict[str, GateResult] = {}
    for cell in cells:
        for result in cell.readiness.results:
            name = result.gate.name
            if name not in worst or _rank(result) < _rank(worst[name]):
                worst[name] = _in_cell(result, cell)
    return list(worst.values())


def _rank(result: GateResult) -> int:
    return [*_WORST_FIRST, Verdict.PASSED].index(result.verdict)


def _in_cell(result: GateResult, cell: CellResult) -> GateResult:
    judgement = result.judgement
    reasons = tuple(f"in cell {cell.number}: {it}" for it in judgement.reasons)
    return replace(result, judgement=Judgement(judgement.verdict, reasons))
