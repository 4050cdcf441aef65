"""The job that a command gives to Locust."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

JOB = "COROGUARD_LOAD_JOB"
DURATION = "COROGUARD_LOAD_DURATION_S"
NONCE_FD = "COROGUARD_LOAD_NONCE_FD"
#: Names the file of a report where Locust was started without a command of ours.
REPORT = "COROGUARD_LOAD_REPORT"


@dataclass(frozen=True, slots=True)
class LoadJob:
    """One run.

    Args:
        folder: Its folder.
        duration_s: How long it lasts once all users are there.
    """

    folder: Path
    duration_s: float

    @property
    def report(self) -> Path:
        """Return where the report has to be."""
        return self.folder / "report.json"

    @property
    def progress(self) -> Path:
        """Return where the progress is."""
        return self.folder / "progress.json"

    @classmethod
    def load(cls) -> LoadJob | None:
        """Return the job that the environment names, if it names one."""
        folder = os.environ.get(JOB)
        return cls(Path(folder), float(os.environ[DURATION])) if folder else None

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables from which `load` makes it."""
        return {JOB: str(self.folder), DURATION: str(self.duration_s)}
