"""The report of a run under load as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from .plot import plot
from .report import PERCENTS

if TYPE_CHECKING:
    from ..verdict import Judgement
    from .report import Fault, LoadReport

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
       padding: 0 1rem; color: #1d1d1f; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { text-align: right; padding: .2rem .8rem; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.PASSED { color: #2a7f62 } .FAILED { color: #b3261e }
.INCOMPLETE { color: #9a5b00 }
"""


def as_html(report: LoadReport, judgement: Judgement) -> str:
    """Return a page that needs no other file: verdict, numbers, plot, errors."""
    verdict = escape(judgement.verdict)
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        f"<title>load: {verdict}</title><style>{_STYLE}</style>",
        f'<h1>Load: <span class="{verdict}">{verdict}</span></h1>',
        f"<p>{escape(summary(report))}</p>",
        _list("Reasons", judgement.reasons),
        plot(report),
        "<table><tr><th>name</th><th>requests</th><th>errors</th>",
        *(f"<th>p{percent}</th>" for percent in PERCENTS),
        "<th>max</th></tr>",
        *("<tr>" + "".join(_cells(row)) + "</tr>" for row in rows(report)),
        "</table>",
        _list("Errors", [f"{count} times {text}" for text, count in _errors(report)]),
        _list("Faults", [_fault(it) for it in report.faults]),
        "</html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def summary(report: LoadReport) -> str:
    """Return a summary in one line: users, amounts and duration."""
    total = report.samples.total().requests
    workers = f" in {report.workers} workers" if report.workers else ""
    leaks = report.metrics.leaks if report.metrics else None
    leaked = "" if leaks is None else f", {leaks} leaks in the service"
    return (
        f"{total} requests by {report.users} users{workers} "
        f"in {report.duration_s:.0f} s{leaked}"
    )


def rows(report: LoadReport) -> Iterator[tuple[str, ...]]:
    """Yield name, requests, errors, the percentiles and the maximum, then the sums."""
    names = report.samples.names
    for name in [*names, *([""] if len(names) > 1 else [])]:
        total = report.samples.total(name)
        times = [total.percentile(percent) for percent in PERCENTS]
        times.append(max(total.times_ms, default=None))
        shown = ("" if it is None else f"{it} ms" for it in times)
        yield name or "all", str(total.requests), str(total.failed), *shown


def _cells(row: tuple[str, ...]) -> Iterator[str]:
    return (f"<td>{escape(cell)}</td>" for cell in row)


def _errors(report: LoadReport) -> list[tuple[str, int]]:
    return report.samples.total().errors.most_common(20)


def _fault(fault: Fault) -> str:
    error = f" ({fault.error})" if fault.error else ""
    return f"{fault.name}: from {fault.began_s:.1f} s to {fault.ended_s:.1f} s{error}"


def _list(title: str, lines: Iterable[str]) -> str:
    items = [f"<li>{escape(line)}</li>" for line in lines]
    return f"<h2>{title}</h2><ul>{''.join(items)}</ul>" if items else ""
