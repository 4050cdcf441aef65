"""Runs small test suites under the plugin, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType

import pytest

PLUGINS = {
    "coroguard": "coroguard.pytest_plugin",
    "asyncio": "pytest_asyncio.plugin",
    "anyio": "anyio.pytest_plugin",
    "xdist": "xdist.plugin",
    "hypothesis": "_hypothesis_pytestplugin",
}
# Writes one line for each phase of each test, in the process that reports.
WITNESS = """
import json, os, pathlib

def pytest_runtest_logreport(report):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shown = [report.nodeid, report.when, report.outcome, report.longreprtext]
        shown.append("\\n".join(text for title, text in report.sections
                               if title == "coroguard"))
        with pathlib.Path("witness.jsonl").open("a") as file:
            print(json.dumps(shown), file=file)
"""
COMMON = """
import asyncio, gc, threading
from unittest.mock import AsyncMock, MagicMock, Mock
import pytest

async def fetch():
    return 1

async def other():
    return 2
"""


@dataclass(frozen=True)
class Phase:
    """The outcome of a phase of a test, and its report."""

    outcome: str
    text: str
    section: str


@dataclass(frozen=True)
class Run:
    """A finished run of a suite."""

    code: int
    output: str
    phases: dict[str, dict[str, Phase]]

    def outcome(self, name: str) -> str:
        """Return ``passed``, or the phases that did not pass, with their outcome."""
        bad = [
            f"{when} {phase.outcome}"
            for when, phase in self.phases[name].items()
            if phase.outcome != "passed"
        ]
        return ", ".join(bad) or "passed"

    def section(self, title: str) -> str:
        """Return the text of the summary under one of coroguard's headings."""
        _, heading, rest = self.output.partition(f" coroguard: {title} ")
        return rest.partition("\n")[2].partition("\n=")[0] if heading else ""


Suite = Callable[..., Run]


@pytest.fixture(scope="module")
def run_suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Run a suite: its code, pytest's arguments, other plugins, the ini file, files."""

    def run(
        code: str,
        *args: str,
        plugins: tuple[str, ...] = (),
        ini: str = "",
        files: Mapping[str, str] = MappingProxyType({}),
    ) -> Run:
        folder = tmp_path_factory.mktemp("suite")
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(dedent(text))
        (folder / "conftest.py").write_text(WITNESS)
        (folder / "test_it.py").write_text(COMMON + dedent(code))
        (folder / "pytest.ini").write_text(f"[pytest]\n{dedent(ini)}")
        loaded = [f"-p{PLUGINS[name]}" for name in ("coroguard", *plugins)]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *loaded, "-pno:cacheprovider", *args],
            cwd=folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=250,
            check=False,
        )
        return Run(done.returncode, done.stdout, _phases(folder / "witness.jsonl"))

    return run


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COROGUARD_", "PYTHON", "PYTEST"))
    }
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "100"}


def _phases(witness: Path) -> dict[str, dict[str, Phase]]:
    phases: dict[str, dict[str, Phase]] = {}
    if witness.exists():
        for line in witness.read_text().splitlines():
            node, when, *rest = json.loads(line)
            phases.setdefault(node.partition("::")[2], {})[when] = Phase(*rest)
    return phases
