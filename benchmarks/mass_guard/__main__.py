"""Guard everything in other people's packages, run their suites, and compare.

``python -m benchmarks.mass_guard`` needs the package index once, for the packages
and the source distributions that hold their tests; both stay in ``--folder``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.mass_guard.projects import PROJECTS, REQUIREMENTS, Project
from benchmarks.table import Section, markdown, text

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).parents[2]
FOLDER = Path(tempfile.gettempdir()) / "coroguard-mass-guard"
_MODES = ("enforce", "observe", "strict")
_PATIENCE_S = 900


@dataclass(slots=True)
class Run:
    """What came out of one run of a suite.

    Args:
        outcomes: By test.
        reasons: Why a test failed, its last lines.
        counts: How many functions were guarded and how many refused.
        start_cpu_s: Processor seconds of imports and collection.
        cpu_s: Processor seconds of the tests.
        problem: Why there is no result; empty if there is one.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    start_cpu_s: float = 0.0
    cpu_s: float = 0.0
    problem: str = ""

    def changes(self, before: Run, after: Run) -> list[str]:
        """Return the tests with another outcome, except what bare runs change too."""
        if self.problem:
            return [f"no result: {self.problem}"]
        tests = before.outcomes.keys() | self.outcomes.keys()
        return [
            test
            for test in sorted(tests)
            if self.outcomes.get(test) != before.outcomes.get(test)
            and before.outcomes.get(test) == after.outcomes.get(test)
        ]


class Bench:
    """The environment in which the packages are installed, and their sources.

    Args:
        folder: Where both are kept; it may exist.
        sources: Folders with the tests of a package, by its name; for the others
            the source distribution is downloaded.
    """

    def __init__(self, folder: Path, sources: dict[str, Path]) -> None:
        self._folder = folder
        self._sources = sources
        self._python = folder / "venv" / "bin" / "python"

    def prepare(self, projects: Sequence[Project]) -> None:
        """Install the packages and unpack their sources, what is there excepted."""
        if not self._python.exists():
            venv.create(self._folder / "venv", with_pip=True)
        self._pip("install", *REQUIREMENTS, *(it.name for it in projects))
        for project in projects:
            if project.is_unpacked and project.name not in self._sources:
                self._unpack(project.name)

    def run(self, project: Project, how: str, mode: str = "") -> Run:
        """Run a suite once, guarded or not, and return what came out."""
        home = self._home(project)
        result = self._folder / f"{project.name}-{mode or how}.json"
        result.unlink(missing_ok=True)
        inside = Path(__file__).parent / "inside"
        with ExitStack() as cleanup:
            arguments = [*project.tests]
            if project.needs_redis:
                arguments.append(f"--redis-url={_redis(cleanup)}")
            finished = subprocess.Popen(
                [
                    *(str(self._python), "-m", "pytest", "-q", "--tb=short"),
                    *("-p", "guard_everything", "-p", "no:cacheprovider", *arguments),
                ],
                cwd=home,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join([str(inside), str(_ROOT / "src")]),
                    "GUARD_EVERYTHING": f"{how}:{project.name}:{result}",
                    "COROGUARD_MODE": mode or "enforce",
                },
                stdout=(self._folder / f"{project.name}-{mode or how}.log").open("w"),
                stderr=subprocess.STDOUT,
            )
            try:
                finished.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                finished.kill()
                finished.wait()
                return Run(problem=f"it did not end in {_PATIENCE_S} s")
        if not result.exists():
            return Run(problem=f"pytest ended with {finished.returncode}")
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return Run(**{name: found[name] for name in Run.__slots__ if name in found})

    def _home(self, project: Project) -> Path:
        if project.name in self._sources:
            return self._sources[project.name]
        found = sorted((self._folder / "sources").glob(f"{project.name}-*/"))
        home = found[-1] if found else self._folder / "sources" / project.name
        home.mkdir(parents=True, exist_ok=True)
        for suite in (Path(__file__).parent / "suites").glob(f"test_{project.name}.py"):
            shutil.copy(suite, home)
        if project.conftest:
            (home / "conftest.py").write_text(project.conftest, encoding="utf-8")
        return home

    def _unpack(self, name: str) -> None:
        sources = self._folder / "sources"
        if list(sources.glob(f"{name}-*/")):
            return
        options = ("--no-deps", "--no-binary", name, "--dest", str(sources))
        self._pip("download", *options, name)
        for archive in sources.glob(f"{name}-*.tar.gz"):
            with tarfile.open(archive) as packed:
                packed.extractall(sources, filter="data")

    def _pip(self, *arguments: str) -> None:
        pip = [str(self._python), "-m", "pip", "--disable-pip-version-check", "-q"]
        subprocess.run([*pip, *arguments], check=True)


def _redis(cleanup: ExitStack) -> str:
    """Start a Valkey and return its address."""
    from coroguard.demo.backends.valkey import Valkey

    server = Valkey(Path(cleanup.enter_context(tempfile.TemporaryDirectory())))
    server.spawn()
    server.wait_ready()
    cleanup.callback(server.stop)
    return server.url


def measure(
    bench: Bench, projects: Sequence[Project], modes: Sequence[str] = _MODES
) -> Section:
    """Run every suite bare, twice, then with each guard, and compare."""
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for project in projects:
        before, after = bench.run(project, "bare"), bench.run(project, "bare")
        guarded = {"empty wrapt decorator": bench.run(project, "wrapt")}
        guarded |= {mode: bench.run(project, "coroguard", mode) for mode in modes}
        bare_s = min(before.cpu_s, after.cpu_s)
        for name, run in guarded.items():
            changed = run.changes(before, after)
            rows.append(
                (
                    project.name,
                    name,
                    f"{run.counts.get('guarded', 0):,}",
                    f"{run.counts.get('passed over', 0):,}",
                    f"{len(before.outcomes):,}",
                    f"{len(changed):,}",
                    f"{run.cpu_s / bare_s:.2f} x" if bare_s else "unknown",
                )
            )
            print("  ".join(rows[-1]), flush=True)
            for test in changed[:20]:
                reason = run.reasons.get(test, "").strip().splitlines()[-1:]
                was, is_ = before.outcomes.get(test), run.outcomes.get(test)
                notes.append(f"{project.name}, {name}: {test}: {was}, now {is_}")
                print("   ", notes[-1], *reason, flush=True)
    columns = ("package", "guard", "guarded", "refused", "tests", "changed", "CPU")
    return Section("Whole packages guarded", columns, rows, notes=tuple(notes))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the suites; 1 if a guard changed an outcome."""
    options = _parser().parse_args(argv)
    known = {project.name: project for project in PROJECTS}
    names = options.names or [*known]
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"unknown package {unknown[0]!r}; known: {', '.join(known)}")
    sources = dict(it.split("=", 1) for it in options.source)
    bench = Bench(options.folder, {k: Path(v).resolve() for k, v in sources.items()})
    projects = [known[name] for name in names]
    bench.prepare(projects)
    section = measure(bench, projects, options.modes)
    print("\n" + text(section))
    if options.write is not None:
        options.write.write_text(markdown(section) + "\n", encoding="utf-8")
    return any(row[-2] != "0" for row in section.rows if "wrapt" not in row[1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mass_guard", description=__doc__
    )
    names = ", ".join(project.name for project in PROJECTS)
    parser.add_argument("names", nargs="*", metavar="PACKAGE", help=f"any of {names}")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="keeps packages and sources"
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="PACKAGE=FOLDER",
        help="a checkout with the tests of a package",
    )
    parser.add_argument("--modes", nargs="+", default=_MODES, choices=_MODES)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
