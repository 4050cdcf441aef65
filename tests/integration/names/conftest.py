"""Programs of their own, run with and without coroguard."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
Done = subprocess.CompletedProcess[str]
Write = Callable[..., None]
Run = Callable[..., Done]

STRICT = ("coroguard", "run", "--strict", "--package", "app", "--")
USERS = """
from typing import Any

async def find() -> str:
    return "ada"

def greet(user: str) -> str:
    return f"hello {user}"

def leak() -> None:
    user: Any = find()
    greet(user)
"""
LEAKED = "coroguard.CoroutineLeakError: greet() let a coroutine escape"


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment without coroguard's and Python's own variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COROGUARD_", "PYTHON", "PYTEST"))
    }
    return {**kept, "PATH": f"{BIN}:{kept.get('PATH', '')}", "NO_COLOR": "1"}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below the folder that programs run in."""

    def write(**files: str) -> None:
        for name, text in files.items():
            file = tmp_path / (name.replace("__", "/") + ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.parent != tmp_path:
                (file.parent / "__init__.py").touch()
            file.write_text(text)

    return write


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run a command to its end."""

    def run(*command: str, **variables: str) -> Done:
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    return run


@pytest.fixture
def leaking(write: Write) -> None:
    """A program of which one function is given a coroutine."""
    write(app__users=USERS, main="from app import users\nusers.leak()")
