"""The command `coroguard load`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from coroguard._inspect.texts import nearest
from coroguard._pyproject import find_root

from ..config import load as load_config
from ..errors import GateConfigError
from ..output import clean, flat
from ..readiness import ExitCode
from ..redact import Redactor
from ..signals import ended_by_signals
from ..verdict import Verdict
from . import files
from .config import LoadConfig
from .judge import judge
from .page import rows, summary
from .process import Elsewhere, by_command, run_load

if TYPE_CHECKING:
    from ..verdict import Judgement
    from .report import LoadReport

_CODES = {
    Verdict.PASSED: ExitCode.READY,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.INCOMPLETE: ExitCode.INCOMPLETE,
}
_STYLES = {Verdict.PASSED: "bold green"}


def load(
    *,
    gate: str | None,
    workers: int | None,
    bind: str,
    duration: float | None,
    html: str | None,
    json: str | None,
    **wishes: str | int | None,
) -> int:
    """Run the load of a gate, or of a load file; show and write the report.

    Args:
        gate: The gate whose criteria apply; ``None`` is the only one that has some.
        workers: How many workers connect from elsewhere; ``None`` for no workers.
        bind: Where they connect to, as ``host:port``.
        duration: The key ``duration_s`` of the table ``load``; ``None`` keeps it.
        html: The key ``report_html``.
        json: The key ``report_json``.
        wishes: Other keys of the table.

    Returns:
        The exit code, as that of `coroguard gate`.
    """
    root = find_root(Path.cwd())
    try:
        keys = {**wishes, "duration_s": duration}
        keys |= {"report_html": html, "report_json": json}
        asked = {key: value for key, value in keys.items() if value is not None}
        config = _configured(root, gate)
        config = LoadConfig.model_validate(config.model_dump() | asked)
        if not (root / config.file).is_file():
            raise GateConfigError(f"the load file {config.file} does not exist")
        if not config.host:
            raise GateConfigError("name the address of the service with --host")
        elsewhere = _elsewhere(workers, bind) if workers else None
        files.remove_old(config, root)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"coroguard: {flat(clean(str(error)))}\n")
        return ExitCode.CONFIGURATION
    redact = Redactor.of(os.environ, {})
    console = Console(highlight=False)
    with ended_by_signals(), _progress(console) as progress:
        report = run_load(
            config,
            root=root,
            host=config.host,
            faults=by_command(config),
            elsewhere=elsewhere,
            progress=progress,
        )
    judgement = judge(report, config)
    files.write(report, judgement, config, root, redact)
    _show(report, judgement, console, lambda text: flat(clean(redact(text))))
    return _CODES[judgement.verdict]


def _configured(root: Path, gate: str | None) -> LoadConfig:
    try:
        gates = load_config(root).gates
    except GateConfigError:
        if gate is not None or "coroguard.gates" in _text_of(root):
            raise
        return LoadConfig()
    tables = {name: it.load for name, it in gates.items() if it.load is not None}
    if gate is not None and gate not in tables:
        hint = nearest(gate, tables)
        raise GateConfigError(f"the gate {gate!r} has no table load.{hint}")
    if gate is None and len(tables) > 1:
        raise GateConfigError(f"name one of these with --gate: {', '.join(tables)}")
    return tables[gate] if gate else next(iter(tables.values()), LoadConfig())


def _text_of(root: Path) -> str:
    file = root / "pyproject.toml"
    return file.read_text("utf-8") if file.is_file() else ""


def _elsewhere(workers: int, bind: str) -> Elsewhere:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal():
        raise GateConfigError(f"--bind {bind} is not an address such as 0.0.0.0:5557")
    return Elsewhere(workers, host, int(port))


@contextlib.contextmanager
def _progress(
    console: Console,
) -> Generator[Callable[[Mapping[str, Any]], None], None, None]:
    """Show the numbers so far in one moving line on a terminal, else nothing."""
    if not console.is_terminal:
        yield lambda _numbers: None
        return
    with console.status("starting the users") as status:

        def show(numbers: Mapping[str, Any]) -> None:
            p95 = numbers["p95_ms"]
            late = "" if p95 is None else f", p95 {p95} ms"
            status.update(
                f"{numbers['users']} users, {numbers['requests']} requests, "
                f"{numbers['failed']} errors{late}"
            )

        yield show


def _show(
    report: LoadReport,
    judgement: Judgement,
    console: Console,
    shown: Callable[[str], str],
) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("name", overflow="fold")
    for title in ("requests", "errors", "p50", "p95", "p99", "max"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows(report):
        table.add_row(*(Text(shown(cell)) for cell in row))
    if table.row_count:
        console.print(table)
    console.print(Text(summary(report)), soft_wrap=True)
    for reason in judgement.reasons:
        console.print(Text(f"  reason: {shown(reason)}"), soft_wrap=True)
    code = int(_CODES[judgement.verdict])
    end = "" if judgement.verdict is Verdict.PASSED else f" (exit code {code})"
    style = _STYLES.get(judgement.verdict, "bold red")
    console.print(Text(f"load: {judgement.verdict}{end}", style=style))
