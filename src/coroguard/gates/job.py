"""The job that the engine gives to a run of pytest."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

JOB = "COROGUARD_GATE_JOB"
NONCE_FD = "COROGUARD_GATE_NONCE_FD"
LOOP = "COROGUARD_GATE_LOOP"
VERDICTS_SO_FAR = "COROGUARD_GATE_VERDICTS"


@dataclass(frozen=True, slots=True)
class Job:
    """The task that the engine gives to one run.

    Args:
        folder: A folder of this run alone; the report and the stacks go there.
        select: Node ids of the tests to run; `None` collects everything, runs nothing.
        self_test: `module:NAME` of a table of faults to read; may be empty.
        seed: What random choices start from.
        stop_early: Whether the first failed test ends the run.
    """

    folder: str
    select: tuple[str, ...] | None = None
    self_test: str = ""
    seed: int = 0
    stop_early: bool = False

    @property
    def file(self) -> Path:
        """Return where the job itself is written."""
        return Path(self.folder, "job.json")

    @property
    def report(self) -> Path:
        """Return where the run has to leave its report."""
        return Path(self.folder, "report.json")

    def save(self) -> None:
        """Write it where `load` finds it."""
        self.file.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls) -> Job:
        """Read the job that the environment names."""
        data = json.loads(Path(os.environ[JOB]).read_text())
        select = data.pop("select")
        return cls(select=None if select is None else tuple(select), **data)
