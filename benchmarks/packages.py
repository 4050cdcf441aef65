"""The cost of guarding whole packages, for their own test suites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.mass_guard.__main__ import FOLDER, Bench, measure
from benchmarks.mass_guard.projects import PROJECTS
from benchmarks.table import Section, Target

if TYPE_CHECKING:
    from benchmarks.timing import Effort

_NAMES = ("httpx", "websockets", "tornado", "sqlalchemy")
_TITLE = "Whole packages guarded"


def measure_packages(effort: Effort) -> Section:
    """Run the suite of a package bare and guarded, in the default mode."""
    if not effort.packages:
        return Section(_TITLE, ("package",), [], notes=("Not measured in this run.",))
    projects = [it for it in PROJECTS if it.name in _NAMES]
    bench = Bench(FOLDER, {})
    try:
        bench.prepare(projects)
    except Exception as problem:
        reason = f"Not measured: the packages could not be installed: {problem}"
        return Section(_TITLE, ("package",), [], notes=(reason,))
    section = measure(bench, projects, ["enforce"])
    empty = {row[0]: row[-1] for row in section.rows if row[1] == "empty closure"}
    targets = [
        Target(
            f"CPU of {row[0]}'s suite, all guarded, beside bare",
            _ratio(row[-1]),
            1.15,
            why="a wrapper of the same signature that looks at nothing takes "
            f"{empty[row[0]]}",
        )
        for row in section.rows
        if row[1] == "enforce"
    ]
    return Section(section.title, section.columns, section.rows, targets, section.notes)


def _ratio(cell: str) -> float:
    return float(cell.removesuffix(" x")) if cell != "unknown" else float("nan")
