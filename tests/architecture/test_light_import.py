"""``import coroguard`` pulls in no more than it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

HEAVY = (
    "asyncio",
    "asyncpg",
    "hypothesis",
    "httpx",
    "pydantic",
    "pytest",
    "redis",
    "rich",
    "starlette",
    "typeguard",
    "typer",
    "unittest.mock",
    "uvicorn",
    "wrapt",
)
Run = Callable[[str], CompletedProcess[str]]


def loaded(run_python: Run, code: str) -> set[str]:
    finished = run_python(
        f"{code}\nimport json, sys; print(json.dumps([*sys.modules]))"
    )
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout))


def test_import_is_light(run_python: Run) -> None:
    """The import loads no framework, no event loop and no heavy dependency."""
    assert loaded(run_python, "import coroguard") & set(HEAVY) == set()


def test_import_prints_nothing(run_python: Run) -> None:
    """The import is silent, with every warning turned into an error."""
    finished = run_python("import coroguard")
    assert (finished.stdout, finished.stderr) == ("", "")


@pytest.mark.parametrize(
    "code",
    [
        "from coroguard import HealthReport",
        "from coroguard import guard\n@guard\ndef check(): ...\ncheck()",
    ],
    ids=["the model", "the first judged report"],
)
def test_pydantic_comes_when_asked_for(run_python: Run, code: str) -> None:
    """What judges a report is imported when there is one to judge."""
    assert "pydantic" in loaded(run_python, code)


@pytest.mark.parametrize(
    "code",
    ["import coroguard", "from coroguard import HealthReport"],
    ids=["the package", "the model"],
)
def test_a_guard_comes_when_asked_for(run_python: Run, code: str) -> None:
    """What guards a function is imported for the first guard."""
    assert "coroguard._guard.decorator" not in loaded(run_python, code)


def test_leaks_only_needs_no_pydantic(run_python: Run) -> None:
    """A guard that looks for leaks only runs without the heavy dependencies."""
    code = (
        "from typing import Any\n"
        "from coroguard import guard\n"
        "@guard(returns=Any)\n"
        "def check(): return {'healthy': True}\n"
        "check()"
    )
    assert loaded(run_python, code) & {"pydantic", "typeguard", "wrapt"} == set()
