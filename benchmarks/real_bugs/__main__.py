"""Run every tool over every program, print the page, and write it if asked to."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.real_bugs.one_program import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    #: By tool, the numbers of the programs on which it reports something.
    Seen = dict[str, set[str]]

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
#: By tool, how the page calls it, and when and how a user hears of the bug.
ROWS = {
    "python": ("Python's own warning", "a line on standard error, at any time"),
    "mypy": ("mypy", "before the program runs"),
    "mypy --strict": ("mypy --strict", "before the program runs"),
    "pyright": ("pyright", "before the program runs"),
    "pyright strict": ("pyright, strict", "before the program runs"),
    "typeguard": ("typeguard on the whole package", "an exception"),
    "beartype": ("beartype on the whole package", "an exception"),
    "returned": ("a check of the returned value alone", "an exception"),
    "guard": ("`@guard` on the enclosing functions", "an event; in strict an error"),
    "watch": ("`watch()` around the run", "an event; in strict an error"),
    "guard and watch": ("both, and unclaimed drops", "an event; in strict an error"),
    "audit and lock": ("`coroguard audit`, `coroguard lock`", "before it runs"),
    "coroguard": ("all of coroguard", ""),
}
_HEAD = """\
# Who sees what

Written by `python -m benchmarks.real_bugs --write docs/explanation/who-sees-what.md`.
Each bug was found in a public repository and rewritten as a small program; they are in
`tests/corpus/bugs`, with the thread that each came from. `tests/corpus/correct` has
programs that look like one of the bugs and are right. Every tool runs over all of them,
each program in a process of its own.
"""
_METHOD = """\
## What counts as seen

- A type checker: any message about a coroutine or an `await` in that file.
- Python: its warning that a coroutine was never awaited. It names the coroutine and
  not the caller, stops nothing, and comes when the coroutine is collected.
- typeguard and beartype: a violation that was raised, also where the program's own
  `except` swallows it. Their import hooks check every annotated function.
- A check of the returned value: `guard(returns=Any, dropped=False)` on the functions
  that a user would decorate. Runtime type guards do no more than that.
- A false alarm is such a report on a right program. The one of `@guard` is a function
  without a return annotation that returns coroutines in a dictionary on purpose: it
  needs the annotation.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_bugs")
    parser.add_argument("--write", type=Path, help="the page to write")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        programs = [
            _copied(path, Path(folder))
            for path in sorted(CORPUS.glob("bugs/[0-9]*.py"))
            + sorted(CORPUS.glob("correct/[0-9]*.py"))
        ]
        seen = _seen_by_all(programs)
    page = _page(seen)
    print(page)
    if options.write:
        options.write.write_text(page, encoding="utf-8")
    return 0


def _copied(path: Path, folder: Path) -> Path:
    """Copy a program under a name that can be imported."""
    copy = folder / f"program_{path.name}"
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def _number(name: str) -> str:
    found = re.search(r"program_(\d+)_", name)
    return found[1] if found else ""


def _seen_by_all(programs: list[Path]) -> Seen:
    seen: Seen = {
        "mypy": _seen_by_mypy(programs),
        "mypy --strict": _seen_by_mypy(programs, "--strict"),
        "pyright": _seen_by_pyright(programs, "standard"),
        "pyright strict": _seen_by_pyright(programs, "strict"),
    }
    jobs = [(tool, path) for tool in TOOLS for path in programs]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda job: _is_seen(*job), jobs)
        for (tool, path), is_seen in zip(jobs, verdicts, strict=True):
            seen.setdefault(tool, set())
            if is_seen:
                seen[tool].add(_number(path.name))
    seen["coroguard"] = seen["guard and watch"] | seen["audit and lock"]
    return seen


def _is_seen(tool: str, path: Path) -> bool:
    command = [sys.executable, "-m", "benchmarks.real_bugs.one_program", tool, path]
    finished = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    verdict = finished.stdout.rpartition("\n")[0].rpartition("\n")[2]
    if verdict not in ("seen", "unseen"):
        raise SystemExit(f"{tool} did not run on {path.name}:\n{finished.stderr}")
    return verdict == "seen"


def _seen_by_mypy(programs: list[Path], *flags: str) -> set[str]:
    command = [sys.executable, "-m", "mypy", "--config-file=", "--no-incremental"]
    finished = subprocess.run(
        [*command, *flags, *programs], capture_output=True, text=True, check=False
    )
    if finished.returncode not in (0, 1):
        raise SystemExit(f"mypy did not run:\n{finished.stdout}{finished.stderr}")
    return _numbers(finished.stdout.splitlines())


def _seen_by_pyright(programs: list[Path], strictness: str) -> set[str]:
    folder = programs[0].parent
    settings = {"include": ["."], "typeCheckingMode": strictness}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", folder]
    command += ["--pythonpath", sys.executable]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode not in (0, 1):
        raise SystemExit(f"pyright did not run:\n{finished.stdout}{finished.stderr}")
    found = json.loads(finished.stdout)["generalDiagnostics"]
    return _numbers(f"{it['file']}: {it['message']}" for it in found)


def _numbers(messages: Iterable[str]) -> set[str]:
    about = [it for it in messages if re.search(r"coroutine|await", it, re.I)]
    return {_number(Path(it.partition(":")[0]).name) for it in about} - {""}


def _page(seen: Seen) -> str:
    groups: dict[str, set[str]] = defaultdict(set)
    for path in CORPUS.glob("*/[0-9]*.py"):
        text = path.read_text(encoding="utf-8")
        groups[path.parent.name].add(path.name[:3])
        for group in ("health", "security"):
            if path.parent.name == "bugs" and f"'{group}': True" in text:
                groups[group].add(path.name[:3])
    columns = ("bugs", "health", "security", "correct")
    sizes = {name: len(groups[name]) for name in columns}
    lines = [
        "| what | how you hear of it | of {bugs} bugs | of {health} in health checks "
        "| of {security} in security checks | false alarms on {correct} right programs "
        "|".format(**sizes),
        "|---|---|---|---|---|---|",
    ]
    for tool, (label, how) in ROWS.items():
        counts = " | ".join(str(len(seen[tool] & groups[it])) for it in columns)
        lines.append(f"| {label} | {how} | {counts} |")
    unseen = sorted(groups["bugs"] - seen["coroguard"])
    facts = [f"{name}: {value}" for name, value in machine.facts()]
    facts.append(f"type checkers: mypy {version('mypy')}, pyright {version('pyright')}")
    return "\n".join(
        [
            _HEAD,
            *lines,
            "",
            f"Not seen by any part of coroguard: {', '.join(unseen) or 'none'}.",
            "",
            _METHOD,
            "## The run",
            "",
            *(f"- {fact}" for fact in facts),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
