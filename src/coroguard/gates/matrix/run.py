"""The gates in each cell of the matrix, and the cells that find a cause."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import CollectionError, GateConfigError
from ..readiness import ExitCode, Readiness, SelfTest
from ..selftest import prove
from ..signals import came, held
from ..trial import Trial, try_gates
from .combinations import causes, every_cell, next_cell, pairwise
from .places import CannotRunError, Places
from .result import CellResult, Matrix, sentences, worst_of

if TYPE_CHECKING:
    from ..runs import Runs
    from ..trial import Wishes
    from .combinations import Cell, Settings
    from .config import MatrixConfig, Value

_AT_ONCE = 2


def run_matrix(
    runs: Runs, wishes: Wishes, progress: Callable[[str], None]
) -> Readiness:
    """Run the gates in each cell and return the readiness of all of them.

    Raises:
        GateConfigError: There is no matrix, or a cell finds a wrong configuration.
    """
    config = runs.config.matrix
    if config is None:
        raise GateConfigError(
            "--matrix needs the table [tool.coroguard.matrix] with one axis or more, "
            'such as loop = ["asyncio", "uvloop"]'
        )
    full = wishes.matrix == "full" or (wishes.matrix != "pairwise" and config.full)
    choose = every_cell if full else pairwise
    sweep = _Sweep(runs, config, wishes, progress)
    # A signal ends the runs of all cells, and then the command.
    with held():
        sweep.run(list(choose(config.sizes, config.excluded)))
        found = sweep.narrow()
    matrix = Matrix(
        cells=sweep.results,
        causes=tuple(sentences(found, config.axes)),
        possible=sum(1 for _ in every_cell(config.sizes, config.excluded)),
        minimum=config.minimum.cells,
        full=full,
    )
    return _readiness(matrix, sweep)


def _readiness(matrix: Matrix, sweep: _Sweep) -> Readiness:
    """Return one readiness for all cells, with each gate as it is at its worst."""
    ran = [cell.readiness for cell in matrix.cells if not cell.could_not]
    proof = sweep.prove() if ran else None
    asked = [readiness for readiness in ran if readiness.results]
    return Readiness(
        results=worst_of(matrix.cells),
        not_asked=asked[0].not_asked if asked else (),
        self_test=proof,
        about=ran[0].about if ran else {},
        matrix=matrix,
    )


@dataclass(slots=True)
class _Sweep:
    """The cells that ran so far.

    Args:
        runs: The runs of the project, without a place.
        config: The matrix.
        wishes: What was asked for.
        progress: Is called with a line for each step.
    """

    runs: Runs
    config: MatrixConfig
    wishes: Wishes
    progress: Callable[[str], None]
    cells: list[Cell] = field(default_factory=list["Cell"])
    results: list[CellResult] = field(default_factory=list[CellResult])
    trials: list[Trial] = field(default_factory=list[Trial])
    places: Places = field(init=False)
    expected: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.places = Places(self.config, self.runs.root, self.runs.folder)
        self.expected = {}

    def run(self, cells: Sequence[Cell], *, added: bool = False) -> None:
        """Run cells, the first of all alone: the others expect its tests, too."""
        first = 0 if self.cells else 1
        for part in (cells[:first], cells[first:]):
            numbered = list(enumerate(part, len(self.cells) + 1))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                tried = [pool.submit(self._try, *it, added) for it in numbered]
                for cell, future in zip(part, tried, strict=True):
                    result, trial = future.result()
                    self.cells.append(cell)
                    self.results.append(result)
                    if trial is not None:
                        self._keep(trial)

    def narrow(self) -> list[list[Settings]]:
        """Add cells until one cause of each failure is left; return the causes."""
        for _ in range(self.config.narrow):
            found = self._causes()
            cell = next_cell(
                found,
                self.cells,
                self._where(is_red=True),
                self.config.sizes,
                self.config.excluded,
            )
            if cell is None or self._stopped():
                break
            self.progress("adding a cell to find the cause")
            self.run([cell], added=True)
        return self._causes()

    def prove(self) -> SelfTest | None:
        """Plant the faults in the cells that have gates, one cell after another."""
        benches = [trial.bench for trial in self.trials if trial.bench.gates]
        if not self.wishes.self_test or not benches:
            return None
        return prove(benches, self.trials[0].faults, self.progress)

    def _keep(self, trial: Trial) -> None:
        self.trials.append(trial)
        if not self.expected:
            self.expected = {it.name: it.expected for it in trial.bench.gates}

    def _causes(self) -> list[list[Settings]]:
        return causes(self._where(is_red=True), self._where(is_red=False))

    def _where(self, *, is_red: bool) -> list[Cell]:
        """Return the cells that are red, or those that are green."""
        return [
            cell
            for cell, result in zip(self.cells, self.results, strict=True)
            if (result.is_red if is_red else result.exit_code is ExitCode.READY)
        ]

    def _stopped(self) -> str:
        """Return why no more cells are run; empty if they are."""
        if came():
            return "a signal ended the command"
        red = self.wishes.fail_fast and any(result.is_red for result in self.results)
        return "--fail-fast: another cell was red" if red else ""

    def _try(
        self, number: int, cell: Cell, added: bool
    ) -> tuple[CellResult, Trial | None]:
        axes = self.config.axes.items()
        settings: dict[str, Value] = {
            axis: values[index]
            for (axis, values), index in zip(axes, cell, strict=True)
        }
        result = CellResult(number, settings, added, could_not=self._stopped())
        if result.could_not:
            return result, None
        started = time.monotonic()
        result, trial = self._ran(result)
        return replace(result, duration_s=time.monotonic() - started), trial

    def _ran(self, result: CellResult) -> tuple[CellResult, Trial | None]:
        def progress(line: str) -> None:
            self.progress(f"cell {result.number} ({result.label}): {line}")

        try:
            place = self.places.of(result.settings)
            result = replace(result, versions=place.versions)
            # The list of expected tests is that of the base cell.
            wishes = replace(self.wishes, pin=self.wishes.pin and result.number == 1)
            runs = replace(self.runs, place=place)
            trial = try_gates(runs, wishes, progress, self.expected)
        except CannotRunError as error:
            return replace(result, could_not=str(error)), None
        except CollectionError as error:
            problem = (ExitCode.INTERNAL, f"collecting its tests failed: {error}")
            return replace(result, readiness=Readiness(problem=problem)), None
        return replace(result, readiness=trial.readiness), trial
