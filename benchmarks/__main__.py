"""Measure everything, print the tables, and write the page if asked to."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import calls, exceptions, health, machine, page, shapes, starts
from benchmarks.packages import measure_packages
from benchmarks.plugin import measure_plugin
from benchmarks.pythons import measure_others
from benchmarks.requests import measure_requests
from benchmarks.schedules import measure_schedules
from benchmarks.sockets import measure_sockets
from benchmarks.table import text, verdicts
from benchmarks.timing import FULL, SMOKE, on_one_core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.table import Section
    from benchmarks.timing import Effort

_ON_ONE_CORE = {
    "off": starts.measure_off,
    "sync": calls.measure_sync,
    "async": calls.measure_async,
    "report": shapes.measure_report,
    "growth": shapes.measure_growth,
    "scan": shapes.measure_scan,
    "exceptions": exceptions.measure_exceptions,
    "health": health.measure_health,
    "plugin": measure_plugin,
    "schedules": measure_schedules,
    "imports": starts.measure_imports,
}
_ON_ALL_CORES = {
    "requests": measure_requests,
    "sockets": measure_sockets,
    "packages": measure_packages,
}
_NAMES = [*_ON_ONE_CORE, *_ON_ALL_CORES]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks; a missed target is printed, and fails nothing."""
    parser = _parser()
    options = parser.parse_args(argv)
    unknown = [name for name in options.only if name not in _NAMES]
    if unknown:
        parser.error(f"unknown line {unknown[0]!r}; it is one of {', '.join(_NAMES)}")
    effort = SMOKE if options.smoke else FULL
    wanted = options.only or _NAMES
    began = time.monotonic()
    facts = machine.facts()
    for name, value in facts:
        print(f"{name}: {value}")
    sections = _measure(wanted, effort)
    others = [page.load(path) for path in options.beside]
    left_out = [name for name in _NAMES if name not in wanted]
    missing = [f"Not measured in this run: {', '.join(left_out)}."] if left_out else []
    if options.pythons:
        found, problems = measure_others(smoke=options.smoke)
        others += found
        missing += problems
    took_s = time.monotonic() - began
    print("\n" + text(verdicts(sections)))
    if others:
        print("\n" + text(page.beside(sections, others)))
    print("\n".join(missing))
    print(f"\nmeasured in {took_s:.0f} s")
    if options.save is not None:
        page.save(options.save, sections)
    if options.write is not None:
        page_text = page.render(sections, facts, took_s, others, missing)
        options.write.write_text(page_text, encoding="utf-8")
        print(f"written to {options.write}")
    return 0


def _measure(wanted: list[str], effort: Effort) -> list[Section]:
    sections: list[Section] = []

    def measure(name: str) -> None:
        measured = (_ON_ONE_CORE | _ON_ALL_CORES)[name](effort)
        print("\n" + text(measured), flush=True)
        sections.append(measured)

    with on_one_core():
        for name in _ON_ONE_CORE:
            if name in wanted:
                measure(name)
    for name in _ON_ALL_CORES:
        if name in wanted:
            measure(name)
    return sections


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join(_NAMES)
    parser.add_argument("only", nargs="*", metavar="LINE", help=f"any of {names}")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="keep the targets for --beside"
    )
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="FILE",
        nargs="+",
        default=[],
        help="show what --save kept on other Pythons in the page, too",
    )
    parser.add_argument(
        "--pythons",
        action="store_true",
        help="measure on Python 3.11, 3.13 and 3.14 too, where they are found",
    )
    parser.add_argument(
        "--smoke", action="store_true", help="run everything once; the times are noise"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
