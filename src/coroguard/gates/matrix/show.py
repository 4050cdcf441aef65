"""A matrix on a terminal, in Markdown and in JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import CellResult, Matrix


def rows(matrix: Matrix) -> Iterator[tuple[str, str, str, str]]:
    """Yield number, settings, verdict and time of each cell."""
    for cell in matrix.cells:
        number = f"{cell.number}+" if cell.added else str(cell.number)
        yield number, cell.label, str(cell.verdict), f"{cell.duration_s:.1f} s"


def reasons(matrix: Matrix) -> Iterator[str]:
    """Yield why cells are not green, the causes first."""
    yield from matrix.causes
    if matrix.lacks:
        yield matrix.lacks
    for cell in matrix.cells:
        if cell.reason:
            yield f"cell {_named(cell)}: {cell.verdict}: {cell.reason}"


def _named(cell: CellResult) -> str:
    return f"{cell.number} ({cell.label})"
