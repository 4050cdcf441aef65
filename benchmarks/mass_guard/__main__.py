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
_PATIENCE_S = 1_800
_REPEATS = 3
_MOST_NOTES = 20
_NAMES = {"wrapt": "empty wrapt decorator", "closure": "empty closure"}
#: Settings of a suite, such as filters of warnings, may import the package.
_START = "import sys, guard_everything, pytest; sys.exit(pytest.main())"


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

    def run(
        self, project: Project, guard: str, only: Sequence[str] | None = None
    ) -> Run:
        """Run a suite once and return what came out.

        Args:
            project: Whose suite it is.
            guard: ``bare``, ``wrapt``, ``closure`` or a mode.
            only: The tests to run; ``None`` for all.
        """
        home = self._home(project)
        stem = f"{project.name}-{guard}{'' if only is None else '-again'}"
        result, wanted = (self._folder / f"{stem}{it}.json" for it in ("", "-only"))
        if only is not None:
            wanted.write_text(json.dumps([*only]), encoding="utf-8")
        result.unlink(missing_ok=True)
        inside = Path(__file__).parent / "inside"
        how = "coroguard" if guard in _MODES else guard
        with ExitStack() as cleanup:
            arguments = [*project.tests]
            if project.needs_redis:
                arguments.append(f"--redis-url={_redis(cleanup)}")
            finished = subprocess.Popen(
                [
                    *(str(self._python), "-c", _START, "-q", "--tb=short"),
                    *("-p", "guard_everything", "-p", "no:cacheprovider", *arguments),
                ],
                cwd=home,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join([str(inside), str(_ROOT / "src")]),
                    "GUARD_EVERYTHING": f"{how}:{project.package}:{result}",
                    "GUARD_EVERYTHING_ONLY": "" if only is None else str(wanted),
                    "COROGUARD_MODE": guard if how == "coroguard" else "enforce",
                },
                stdout=(self._folder / f"{stem}.log").open("w"),
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
        run = Run(**{name: found[name] for name in Run.__slots__ if name in found})
        if how != "bare" and not run.counts["guarded"]:
            return Run(problem="nothing was guarded")
        return run

    def lasting(
        self, project: Project, guard: str, changed: Sequence[str], known: Sequence[Run]
    ) -> list[str]:
        """Return the changed tests that a guard changes again where they run alone.

        Each is repeated bare and guarded. One that has, guarded, no outcome that it
        does not have bare too depends on time, and not on the guard.

        Args:
            project: Whose suite it is.
            guard: As in ``run``.
            changed: The tests whose outcome changed in the whole suite.
            known: The runs of the whole suite without a guard.
        """
        if not changed or not all("::" in test for test in changed):
            return [*changed]  # a module or the run itself
        bare, guarded = (
            [self.run(project, it, changed) for _ in range(_REPEATS)]
            for it in ("bare", guard)
        )

        def outcomes(runs: Sequence[Run], test: str) -> set[str | None]:
            return {run.outcomes.get(test) for run in runs}

        return [
            test
            for test in changed
            if outcomes(guarded, test) - outcomes([*known, *bare], test)
        ]

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
        before, after = (bench.run(project, "bare") for _ in range(2))
        bare_s = min(before.cpu_s, after.cpu_s)
        for guard in (*_NAMES, *modes):
            name = _NAMES.get(guard, guard)
            run = bench.run(project, guard)
            once = run.changes(before, after)
            changed = bench.lasting(project, guard, once, (before, after))
            rows.append(
                (
                    project.name,
                    name,
                    f"{run.counts.get('guarded', 0):,}",
                    f"{run.counts.get('passed over', 0):,}",
                    f"{len(before.outcomes):,}",
                    f"{len(once):,}",
                    f"{len(changed):,}",
                    f"{run.cpu_s / bare_s:.2f} x" if bare_s else "unknown",
                )
            )
            print("  ".join(rows[-1]), flush=True)
            for test in once[:_MOST_NOTES]:
                reason = run.reasons.get(test, "").strip().splitlines()[-1:]
                was, is_ = before.outcomes.get(test), run.outcomes.get(test)
                again = "" if test in changed else " (not where it is repeated alone)"
                notes.append(f"{project.name}, {name}: {test}: {was}, now {is_}{again}")
                print("   ", notes[-1], *reason, flush=True)
    columns = ("package", "guard", "guarded", "refused", "tests")
    more = ("changed once", "changed", "CPU")
    return Section("Whole packages guarded", columns + more, rows, notes=tuple(notes))


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
    return any(row[-2] != "0" for row in section.rows if row[1] in _MODES)


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
