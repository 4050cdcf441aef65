"""mypy and pyright agree on the types that a user sees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="the type checkers are in the group `lint`")
pytestmark = pytest.mark.slow(
    reason="two checkers read the installed package anew; `make lint` reads the tree"
)

WRONG = """
from typing import assert_type
from coroguard import LeakKind
assert_type(LeakKind.NESTED, int)
"""
Checker = Callable[[Path, str], str]


@pytest.fixture(scope="module")
def outside(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The typing tests outside the project, so that the installed package is found."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copytree(root / "tests/typing", folder / "right")
    (folder / "wrong").mkdir()
    (folder / "wrong/wrong.py").write_text(WRONG)
    return folder


def check(folder: Path, *command: str) -> str:
    """Run a type checker and return what it found, nothing when all is well."""
    finished = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    return "" if finished.returncode == 0 else finished.stdout + finished.stderr


def mypy(folder: Path, target: str) -> str:
    return check(folder, "mypy", "--strict", "--cache-dir=.mypy_cache", target)


def pyright(folder: Path, target: str) -> str:
    settings = {
        "include": [target],
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": True,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    return check(folder, "pyright", "--pythonpath", sys.executable)


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_types_of_the_public_api(checker: Checker, outside: Path) -> None:
    """The public API has exactly the types that ``tests/typing`` asserts."""
    assert checker(outside, "right") == ""


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_checkers_see_a_wrong_type(checker: Checker, outside: Path) -> None:
    """A wrong assertion is seen: the checkers really read the files."""
    assert "wrong.py" in checker(outside, "wrong")
