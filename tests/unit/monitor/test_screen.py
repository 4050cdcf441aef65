"""The live table of a terminal, and the plain lines of a file."""

from __future__ import annotations

import datetime
import io

from rich.console import Console

from coroguard.monitor import screen
from coroguard.monitor.findings import Finding, Round

AT = datetime.datetime(2026, 1, 1, 12, 0, 0, tzinfo=datetime.UTC)
WELL = Finding(check="mail", status="healthy", took_s=0.0012)
ILL = Finding(check="redis", status="failed", text="LEAK: \x1b[31ma\nb", took_s=0.5)


def found(*findings, minute=0):
    return Round(findings=findings, at=AT.replace(minute=minute))


def test_plain_lines(capsys):
    """A line for the round, and one for each check that is not healthy."""
    with screen.shown("app:check") as show:
        show(found(WELL))
        show(found(WELL, ILL))
    assert capsys.readouterr().out == (
        "2026-01-01T12:00:00Z healthy  1 of 1 checks are healthy, slowest mail 1.2 ms\n"
        "2026-01-01T12:00:00Z failed   1 of 2 checks are healthy, slowest redis "
        "500.0 ms\n"
        "2026-01-01T12:00:00Z failed   redis: LEAK: \\x1b[31ma | b\n"
    )


def test_a_terminal_has_a_live_table(monkeypatch):
    """Each check has a row with its status, and since when it has it."""
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=100, highlight=False)
    monkeypatch.setattr(screen, "Console", lambda **_: console)
    with screen.shown("app:check") as show:
        show(found(WELL, ILL))
        show(found(WELL, ILL, minute=5))
    last = terminal.getvalue().rpartition("app:check")[2]
    assert "12:05:00 UTC" in last
    rows = [line for line in last.splitlines() if "redis" in line or "mail" in line]
    assert len(rows) == 2
    assert all("12:00:00" in row for row in rows)
    assert "500.0 ms" in rows[1]
    assert "\x1b[31ma" not in last
