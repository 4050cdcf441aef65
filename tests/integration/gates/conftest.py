"""A small project of its own, and its gates run as a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from readiness_document import ReadinessDocument

#: Only a command that never ends takes so long.
PATIENCE_S = 250
CONFIG = """
[tool.coroguard.gates."chat"]
rule = "a message gets an answer"
impact = "no chat"
"""
ONE_GREEN_TEST = """
import pytest

@pytest.mark.gate("chat")
def test_chat():
    pass
"""

#: The command, whose clock jumps over every limit when a file is first written, or
#: grows: no test has to guess how long a busy machine needs to reach the point.
HURRIED = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from coroguard.__main__ import main
from coroguard.gates import process

signal = Path(sys.argv.pop(1))

def monotonic():
    jumps = signal.stat().st_size if signal.exists() else 0
    return time.monotonic() + 1_000_000 * jumps

process.time = SimpleNamespace(monotonic=monotonic, sleep=time.sleep)
process._STACKS_S = 60.0
sys.exit(main())
"""


@dataclass
class Ran:
    """What a process left."""

    code: int
    out: str
    err: str
    report: dict[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        return {gate["name"]: gate["verdict"] for gate in self.report["gates"]}

    @property
    def reasons(self) -> str:
        return "\n".join(
            reason for gate in self.report["gates"] for reason in gate["reasons"]
        )


@dataclass
class Project:
    """A folder with a configuration and tests."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    def start(self, *arguments: str, jumps_at: str = "") -> subprocess.Popen[str]:
        command = ["-c", HURRIED, jumps_at] if jumps_at else ["-m", "coroguard"]
        return subprocess.Popen(
            [sys.executable, *command, "gate", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def gate(self, *arguments: str, jumps_at: str = "") -> Ran:
        report = self.root / "readiness.json"
        options = ("--json", str(report), *arguments)
        with self.start(*options, jumps_at=jumps_at) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        shown = json.loads(report.read_text("utf-8")) if report.exists() else {}
        if shown:
            # Every report of these tests is what the schema describes.
            ReadinessDocument.model_validate(shown)
        return Ran(process.returncode, out, err, shown)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one green gate; its runs load no plugin but the recorder."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COROGUARD_", "GITHUB_", "PYTEST_", "PYTHON"))
    }
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "80"}
    project = Project(tmp_path, environment)
    project.write("pyproject.toml", CONFIG)
    project.write("tests/test_chat.py", ONE_GREEN_TEST)
    return project
