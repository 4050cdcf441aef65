"""The cost of imports, and of a guard that is off at the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.table import Section, Target, duration
from benchmarks.timing import Call, best_of

if TYPE_CHECKING:
    from benchmarks.timing import Effort

__all__ = ["measure_imports", "measure_off"]

_FIRST_MODEL = (
    "import pydantic; pydantic.create_model('A', __config__={'defer_build': True})"
)
_IMPORTS = (
    "pass",
    "import asyncio",
    "import typeguard",
    "import pydantic",
    "from pydantic import BaseModel",
    _FIRST_MODEL,
    "import coroguard",
    "from coroguard import guard",
    "from coroguard import HealthReport",
)
_TIMED = """
import time
started = time.process_time()
{statement}
print(time.process_time() - started)
"""
_OFF = "from benchmarks.starts import time_off; time_off()"


def measure_imports(effort: Effort) -> Section:
    """Time each import in fresh interpreters that take turns."""
    took: dict[str, list[float]] = {statement: [] for statement in _IMPORTS}
    _each_once()  # compiles what was never imported, fills the disk's cache
    for _ in range(effort.processes):
        for statement, seconds in _each_once().items():
            took[statement].append(seconds)
    best = {statement: min(times) for statement, times in took.items()}
    pydantic, models = best["import pydantic"], best["from pydantic import BaseModel"]
    rows = [
        (
            f"`{statement}`",
            duration(best[statement]),
            duration(median(times)),
            f"{best[statement] / pydantic:.2f} x",
            f"{best[statement] / models:.2f} x",
        )
        for statement, times in took.items()
    ]
    return Section(
        "Import in a fresh interpreter",
        ("statement", "best", "median", "x import pydantic", "x BaseModel"),
        rows,
        [
            Target(
                "import coroguard beside import pydantic",
                best["import coroguard"] / pydantic,
                0.7,
            ),
            Target(
                "from coroguard import HealthReport beside BaseModel",
                best["from coroguard import HealthReport"] / models,
                1.25,
                why="the first subclass of BaseModel makes pydantic import its types: "
                "an empty one, whose schema is not built either, takes "
                f"{best[_FIRST_MODEL] / models:.2f} x",
            ),
        ],
        (
            "Processor time. pydantic imports its models when `BaseModel` is first "
            "asked for, and coroguard what guards when `guard` is, and its own models "
            "when `HealthReport` is, or when a guard first judges a report: the last "
            "row holds pydantic, and the making of the two models.",
        ),
    )


def measure_off(effort: Effort) -> Section:
    """Compare a function with itself, guarded in a process that started in off."""
    found = json.loads(_python(_OFF, str(effort.rounds), str(effort.round_s)))
    before, after = found["before_s"], found["after_s"]
    return Section(
        "Off at start-up",
        ("one call", "time"),
        [
            ("the function", duration(before)),
            ("guard(function)", duration(after)),
            ("guard(function) is function", str(found["identical"])),
        ],
        [
            Target(
                "functions that guard() hands back as they are, of "
                f"{found['tried']} kinds",
                found["identical"],
                found["tried"],
                unit="",
                at_least=True,
            )
        ],
    )


def time_off() -> None:
    """Print what `measure_off` asks for; runs in a process of its own."""
    from dataclasses import replace
    from typing import Any

    from benchmarks.timing import SMOKE
    from coroguard import guard

    def function(value: int) -> int:
        return value

    async def coroutine_function(value: int) -> int:
        return value

    kinds = (function, coroutine_function)
    guards = (guard, guard(returns=Any))
    same = [decorate(kind) is kind for kind in kinds for decorate in guards]
    calls = {"before": Call(function, (1,)), "after": Call(guard(function), (1,))}
    effort = replace(SMOKE, rounds=int(sys.argv[1]), round_s=float(sys.argv[2]))
    best = best_of(calls, effort)
    found = {
        "identical": sum(same),
        "tried": len(same),
        "before_s": best["before"],
        "after_s": best["after"],
    }
    sys.stdout.write(json.dumps(found))


def _each_once() -> dict[str, float]:
    return {
        statement: float(_python(_TIMED.format(statement=statement)))
        for statement in _IMPORTS
    }


def _python(code: str, *arguments: str) -> str:
    """Run code in a fresh interpreter, in mode off, and return what it prints."""
    # Without compiled files, it is the compiler that would be measured.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**env, "COROGUARD_MODE": "off"},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    return finished.stdout
