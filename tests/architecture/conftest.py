"""The folders of the package and the project, and a clean process of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import coroguard

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder of the package that the tests import: source tree or wheel."""
    assert coroguard.__file__ is not None
    return Path(coroguard.__file__).parent


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without coroguard's and Python's own variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COROGUARD_", "PYTHON", "PYTEST"))
    }
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"}


@pytest.fixture
def run_python(tmp_path: Path, clean_environment: dict[str, str]) -> Run:
    """Run code in a new interpreter, outside the project's folder."""

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=tmp_path,
            env=clean_environment,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    return run
