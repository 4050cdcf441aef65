"""Runs of pytest: one to collect, and one for each gate."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from coroguard._inspect.texts import nearest

from .errors import CollectionError, GateConfigError
from .evidence import RunEvidence
from .job import VERDICTS_SO_FAR, Job
from .matrix.places import Place, environment
from .paths import outside
from .process import run_pytest
from .trust import doubts, evidence, read

if TYPE_CHECKING:
    from .config import Config
    from .process import Ended
    from .verdict import Gate, Verdict

COLLECTION_LIMIT_S = 120.0
PLANT = "COROGUARD_PLANT"
REAL_SERVICES = "COROGUARD_REAL_SERVICES"
# pytest's codes for a collection that went well, and for one that found nothing.
_COLLECTED = (0, 5)


@dataclass(slots=True)
class Runs:
    """Runs of pytest for one project, each in a folder and a process of its own.

    Args:
        root: The folder that holds the project's `pyproject.toml`.
        config: What is written there.
        folder: Where the folders of the runs are made.
        seeds: Environment variables that random choices start from.
        real_services: Whether each service has to be real.
        fail_fast: Whether a run ends with its first failed test.
        ini: The configuration file of pytest; empty lets pytest look for it.
        place: The interpreter and the environment of the runs.
    """

    root: Path
    config: Config
    folder: Path
    seeds: Mapping[str, str] = field(default_factory=dict[str, str])
    real_services: bool = False
    fail_fast: bool = False
    ini: str = ""
    place: Place = field(default_factory=Place)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that its runs start with."""
        return environment(self.place.variables)

    def collect(self) -> dict[str, Any]:
        """Return the recorder's report of the collected tests.

        Raises:
            CannotRunError: The run was not in the place that it was meant for.
            CollectionError: It could not be found out.
        """
        table = self.config.self_test
        job = self._job(None, self_test=table if isinstance(table, str) else "")
        ended = self._pytest(["--collect-only", "-q", *self._paths()], job, "", {})
        if ended.over_limit:
            raise CollectionError(
                f"collecting took more than {COLLECTION_LIMIT_S:g} s\n{ended.stacks}"
            )
        report, missing = read(job, ended)
        if missing:
            raise CollectionError(f"{missing}\n{ended.output.strip()}")
        wrong = [f"{each['id']}: {each['text']}" for each in report["collect_errors"]]
        if ended.exit_code not in _COLLECTED:
            wrong += doubts(report, ended.exit_code)
        if wrong:
            raise CollectionError("\n".join([*wrong, *hints(wrong, os.environ)]))
        self.place.check(report["facts"])
        # Given other files, pytest could find another one.
        self.ini = report["ini"]
        return report

    def run(
        self, gate: Gate, verdicts: Mapping[str, Verdict], plant: str = ""
    ) -> RunEvidence:
        """Run the tests of one gate and return their evidence.

        Args:
            gate: The gate with its pinned tests; without any, nothing is run.
            verdicts: The verdicts so far, for the tests to read.
            plant: The fault to plant; empty for none.
        """
        if not gate.expected:
            return RunEvidence()
        files = dict.fromkeys(
            test.partition("::")[0] for test in gate.expected if "::" in test
        )
        job = self._job(gate.expected, stop_early=self.fail_fast or bool(plant))
        # An audit is in no file; without any, pytest would look everywhere.
        where = [self._from_root(file) for file in files] or ["--ignore-glob=*"]
        ended = self._pytest(where, job, plant, verdicts, limit_s=gate.limit_s)
        return evidence(job, ended, gate.limit_s)

    def _job(
        self,
        select: Sequence[str] | None,
        *,
        self_test: str = "",
        stop_early: bool = False,
    ) -> Job:
        folder = mkdtemp(prefix="run-", dir=self.folder)
        return Job(
            folder=folder,
            select=None if select is None else tuple(select),
            self_test=self_test,
            seed=int(self.seeds.get("COROGUARD_SEED", 0)),
            stop_early=stop_early,
        )

    def _pytest(
        self,
        arguments: Sequence[str],
        job: Job,
        plant: str,
        verdicts: Mapping[str, Verdict],
        limit_s: float = COLLECTION_LIMIT_S,
    ) -> Ended:
        kept = self.environment
        # Bytecode that an earlier checkout left in the project proves nothing about
        # its source, so the runs of this command share a new cache.
        kept["PYTHONPYCACHEPREFIX"] = str(self.folder / "bytecode")
        said = {name: str(verdict) for name, verdict in verdicts.items()}
        variables = kept | dict(self.seeds) | {VERDICTS_SO_FAR: json.dumps(said)}
        if plant:
            variables[PLANT] = plant
        if self.real_services:
            variables[REAL_SERVICES] = "1"
        ini = ["-c", self.ini] if self.ini else []
        if "PYTHONOPTIMIZE" in variables:
            # pytest rewrites the assertions of tests, so that they hold nevertheless.
            ini.append("-Wignore:assertions not in test modules")
        return run_pytest(
            [*ini, *arguments],
            job,
            root=self.root,
            rootdir=self.config.base,
            environment=variables,
            limit_s=limit_s,
            python=self.place.python,
        )

    def _paths(self) -> list[str]:
        """Return where to collect: as configured, or where pytest looks by itself."""
        listed = [
            self._from_root(entry.partition("::")[0])
            for gate in self.config.gates.values()
            for entry in gate.tests
        ]
        paths = self.config.paths
        for path in paths:
            if not (self.root / path).exists():
                hint = nearest(path, self._beside(path))
                raise GateConfigError(
                    f"tool.coroguard.paths: {path!r} does not exist.{hint}"
                )
        if not paths:
            if not any(map(outside, listed)):
                return []
            paths = ["."]
        every = dict.fromkeys([*paths, *listed])
        return [path for path in every if (self.root / path).exists()]

    def _beside(self, path: str) -> list[str]:
        """Return the names beside a path that does not exist."""
        parent = PurePosixPath(path).parent
        if not (self.root / parent).is_dir():
            return []
        return [str(parent / it.name) for it in (self.root / parent).iterdir()]

    def _from_root(self, file: str) -> str:
        """Return the file of a node id as an argument of a run."""
        return os.path.relpath(self.config.base / file, self.root)


def hints(wrong: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return hints about tests that could not be collected."""
    if environ.get("PYTHONPATH") and any("No module named" in text for text in wrong):
        return [
            "a gate's runs do not get PYTHONPATH; put its folders into pythonpath of "
            "pytest's configuration"
        ]
    return []
