"""The readiness on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .output import flat, without_commands
from .readiness import ExitCode
from .verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from .matrix.result import Matrix
    from .readiness import GateResult, Readiness

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.WAIVED: "yellow",
    Verdict.FLAKY: "bold yellow",
}
_MOST_REASONS = 5
_MOST_FRAMES = 6


def show(readiness: Readiness, console: Console) -> None:
    """Show the table, each gate that is not green, and the last line.

    Args:
        readiness: What to show, as `run_gates` returns it.
        console: Where to show it.
    """
    with console.capture() as shown:
        _show(readiness, console)
    # A text that is folded at the edge of the screen begins a line of its own.
    console.file.write(without_commands(shown.get()))


def _show(readiness: Readiness, console: Console) -> None:
    if readiness.results:
        console.print(_table(readiness))
    for result in readiness.results:
        if result.verdict is not Verdict.PASSED:
            _show_red(result, console)
    if readiness.matrix:
        _show_matrix(readiness.matrix, console)
    _show_self_test(readiness, console)
    if readiness.problem:
        _show_problem(console, *readiness.problem)
    _line(console, "")
    text, style = _last_line(readiness)
    _line(console, flat(text), style)


def _table(readiness: Readiness) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("gate", overflow="fold", ratio=3)
    table.add_column("verdict", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=4)
    table.add_column("took", no_wrap=True, justify="right", min_width=7)
    table.expand = True
    for result in readiness.results:
        table.add_row(
            Text(flat(result.gate.title or result.gate.name)),
            Text(result.verdict, style=_STYLES.get(result.verdict, "bold red")),
            Text(result.evidence),
            Text(f"{result.run.duration_s:.1f} s"),
        )
    return table


def _show_red(result: GateResult, console: Console) -> None:
    gate = result.gate
    style = _STYLES.get(result.verdict, "bold red")
    _line(console, "")
    _line(console, flat(f"{gate.title or gate.name}: {result.verdict}"), style)
    _labelled(console, "rule", gate.rule)
    _labelled(console, "impact", gate.impact)
    if result.waiver:
        waiver = result.waiver
        text = (
            f"{waiver.reason} (until {waiver.until}; it is {result.judgement.verdict})"
        )
        _labelled(console, "waived", text)
    reasons = result.judgement.reasons
    for reason in reasons[:_MOST_REASONS]:
        _labelled(console, "reason", reason)
    if len(reasons) > _MOST_REASONS:
        more = len(reasons) - _MOST_REASONS
        _labelled(console, "reason", f"and {more} more, in --json")
    for number, line in enumerate(_innermost(result.run.stacks)):
        _labelled(console, "" if number else "stacks", line)
    blocks = "yes" if result.blocks else "no"
    _line(
        console, f"  BLOCKS DEPLOYMENT: {blocks}", "bold red" if result.blocks else ""
    )


def _show_matrix(matrix: Matrix, console: Console) -> None:
    _line(console, "")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("cell", no_wrap=True)
    table.add_column("settings", overflow="fold", ratio=1)
    table.add_column("verdict", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right", min_width=7)
    table.expand = True
    for number, label, verdict, took in matrix.rows():
        style = _STYLES.get(Verdict(verdict), "bold red")
        table.add_row(number, Text(flat(label)), Text(verdict, style=style), took)
    console.print(table)
    _line(console, flat(f"matrix: {matrix.evidence}"))
    for text in matrix.reasons():
        _labelled(console, "matrix", text)


def _innermost(stacks: str) -> list[str]:
    """Return where the main thread was; the whole stacks are in the files."""
    _, _, main = stacks.rpartition("most recent call first):\n")
    lines = [line.strip() for line in main.splitlines()]
    return lines[:_MOST_FRAMES] + ["and more, in --json"] * (len(lines) > _MOST_FRAMES)


def _show_self_test(readiness: Readiness, console: Console) -> None:
    proof = readiness.self_test
    if proof is None:
        return
    _line(console, "")
    for plants, what in (
        (proof.engine, "built-in projects were judged rightly"),
        (proof.plants, "planted faults were seen"),
    ):
        caught = sum(plant.caught for plant in plants)
        text = f"self-test: {caught} of {len(plants)} {what}"
        _line(console, text, "green" if caught == len(plants) > 0 else "bold red")
    for text in proof.fooled:
        _labelled(console, "fooled", text)
    for text in proof.unproven:
        _labelled(console, "unproven", text)


def _show_problem(console: Console, code: ExitCode, text: str) -> None:
    """Show why no gate was judged; what a run printed is indented under it."""
    if code is ExitCode.CONFIGURATION:
        _line(console, text)  # our own, to paste from
        return
    first, *more = text.splitlines() or [""]
    _line(console, first)
    for line in more:
        _line(console, f"  | {line}")


def _last_line(readiness: Readiness) -> tuple[str, str]:
    code = f"(exit code {int(readiness.exit_code)})"
    if not readiness.ready:
        blocking = [r.gate.name for r in readiness.results if r.blocks]
        if readiness.matrix and not blocking:
            blocking = ["matrix"]
        why = f": {', '.join(blocking)}" if blocking else ""
        return f"NOT READY{why} {code}", "bold red"
    passed = sum(r.verdict is Verdict.PASSED for r in readiness.results)
    parts = [f"{passed} of {len(readiness.results)} gates passed"]
    open_gates = [r for r in readiness.results if r.verdict is not Verdict.PASSED]
    parts += [f"{r.gate.name} is {r.verdict}" for r in open_gates]
    if readiness.not_asked:
        parts.append(f"not asked for: {', '.join(readiness.not_asked)}")
    return f"READY: {'; '.join(parts)}", "bold green"


def _labelled(console: Console, label: str, text: str) -> None:
    """Show a labelled line, wrapped under its own text."""
    if not text:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=9, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(f"{label}:" if label else ""), Text(flat(text)))
    console.print(Padding(grid, (0, 0, 0, 2), expand=False))


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)
