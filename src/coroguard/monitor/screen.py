"""The output of the monitor: a live table in a terminal, else plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..gates.output import clean, flat

if TYPE_CHECKING:
    import datetime

    from .findings import Finding, Round, Status

_COLOURS: dict[Status, str] = {
    "healthy": "green",
    "degraded": "yellow",
    "failed": "bold red",
}


@contextmanager
def shown(title: str) -> Generator[Callable[[Round], None], None, None]:
    """Yield a function that shows each round.

    Args:
        title: What is monitored.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        yield _write
        return
    since: dict[str, tuple[Status, datetime.datetime]] = {}
    with Live(console=console, auto_refresh=False) as live:
        yield lambda found: live.update(_table(title, found, since), refresh=True)


def _write(found: Round) -> None:
    """Write a line for the round, and one for each component that is not healthy."""
    at = f"{found.at:%Y-%m-%dT%H:%M:%SZ}"
    worst = _worst(found)
    lines = [f"{at} {worst:<8} {_counted(found)}"]
    lines += [
        f"{at} {it.status:<8} {it.check}: {flat(clean(it.text))}"
        for it in found.findings
        if it.status != "healthy"
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _worst(found: Round) -> Status:
    statuses = {it.status for it in found.findings}
    if "failed" in statuses:
        return "failed"
    return "degraded" if "degraded" in statuses else "healthy"


def _counted(found: Round) -> str:
    count = sum(it.status == "healthy" for it in found.findings)
    slowest = max(found.findings, key=lambda it: it.took_s or 0.0)
    text = f"{count} of {len(found.findings)} checks are healthy"
    return f"{text}, slowest {slowest.check} {_took(slowest)}"


def _table(
    title: str, found: Round, since: dict[str, tuple[Status, datetime.datetime]]
) -> Table:
    """Return the table of a round; ``since`` keeps when each status began."""
    table = Table(title=Text(f"{title}, {found.at:%H:%M:%S} UTC"), title_justify="left")
    for column in ("check", "status", "took", "since", "what is wrong"):
        table.add_column(column)
    for it in found.findings:
        known = since.get(it.check)
        if known is None or known[0] != it.status:
            since[it.check] = known = (it.status, found.at)
        table.add_row(
            Text(flat(clean(it.check))),
            Text(it.status, style=_COLOURS[it.status]),
            Text(_took(it)),
            Text(f"{known[1]:%H:%M:%S}"),
            Text(clean(it.text)),
        )
    return table


def _took(finding: Finding) -> str:
    return "" if finding.took_s is None else f"{finding.took_s * 1_000:.1f} ms"
