"""The page with the numbers."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.table import Section, markdown, verdicts

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["load", "render", "save"]

#: The version of a Python, and by claim what it measured there.
Targets: TypeAlias = tuple[str, dict[str, str]]

_HEAD = """\
# What a guard costs

Written by `python -m benchmarks --write docs/benchmarks.md`; `make bench` prints the
same for your machine, on Python 3.11, 3.13 and 3.14 where they are found. Missed
targets are listed as missed, with the reason where it is known. No test depends on a
time.
"""
_METHOD = """\
## Method

- Every line is measured in one run, side by side. In-process calls take turns in short
  rounds (10 ms, 25 of them), the order rotates, the process stays on one core, and the
  garbage collector is off meanwhile. It is the thread's processor time, and the best
  round counts, because a disturbance only ever adds.
- The timed call is ten times in a loop that is compiled for it alone; the loop's
  own share, about 1 ns, is in every number.
- Imports and mode `off` are measured in fresh interpreters, imports in turns.
- The pytest plugin is measured on a suite of empty tests beside a million dictionaries,
  with and without the plugin, in processor time.
- Whole packages: `python -m benchmarks.mass_guard` installs packages, takes their tests
  from the source distributions, and puts `guard(returns=Any)` on every function and
  method where it is defined. It runs the suite bare twice, with an empty
  `wrapt.decorator`, with a closure of the same signature that looks at nothing, and
  guarded, and compares test by test. Tests whose outcome differs
  between the bare runs are left out. The others that differ once are repeated alone,
  three times bare and three times guarded, and count as changed if the guard gives
  them an outcome that no bare run has. Its exit code is 1 if there are any.
- Throughput is measured over real sockets on loopback, from a client that is lighter
  than the service: the service is the bottleneck. Two services that differ in
  `COROGUARD_MODE` alone run in turns, and the ratio is taken in each round. The median
  of the rounds counts; the spread is the middle half of them.
"""


def save(path: Path, sections: list[Section]) -> None:
    """Keep what was measured against the targets, to be shown beside another run."""
    measured = {row[0]: f"{row[1]}, {row[3]}" for row in verdicts(sections).rows}
    kept = {"python": platform.python_version(), "measured": measured}
    path.write_text(json.dumps(kept, indent=2), encoding="utf-8")


def load(path: Path) -> Targets:
    """Return what `save` kept."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return kept["python"], kept["measured"]


def render(
    sections: list[Section],
    facts: list[tuple[str, str]],
    took_s: float,
    others: list[Targets],
    missing: list[str],
) -> str:
    """Return the page's text.

    Args:
        sections: What was measured.
        facts: On what, as names and values.
        took_s: Seconds that all of it took.
        others: What other Pythons measured on the same machine; may be empty.
        missing: Sentences about Pythons that were not measured.
    """
    about = [*facts, ("duration", f"{took_s:.0f} s")]
    rows = "\n".join(f"| {name} | {value} |" for name, value in about)
    machine = f"## Machine\n\n| what | value |\n|---|---|\n{rows}"
    parts = [
        _HEAD.rstrip(),
        markdown(verdicts(sections)),
        *([markdown(beside(sections, others), 3)] if others else []),
        *missing,
        *(markdown(section) for section in sections),
        _METHOD.rstrip(),
        machine,
    ]
    return "\n\n".join(parts) + "\n"


def beside(sections: list[Section], others: list[Targets]) -> Section:
    """Show every target as each Python met or missed it."""
    rows = [
        (row[0], row[2], *(measured.get(row[0], "") for _, measured in others))
        for row in verdicts(sections).rows
    ]
    columns = ("target", "limit", *(f"Python {version}" for version, _ in others))
    return Section("On other Pythons", columns, rows)
