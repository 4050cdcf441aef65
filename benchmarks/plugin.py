"""The cost of the pytest plugin for each test, with a million live objects."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.table import Section, Target, duration

if TYPE_CHECKING:
    from benchmarks.timing import Effort

_TESTS = 200
_SUITE = """
import os, time
import pytest

HELD = [{{"id": number}} for number in range({objects})]

@pytest.fixture(scope="session", autouse=True)
def started():
    yield
    print(f"took {{time.process_time() - BEGAN[0]:.9f}} s")

BEGAN = []

@pytest.mark.parametrize("number", range({tests}))
def test_nothing(number):
    BEGAN or BEGAN.append(time.process_time())
"""


def measure_plugin(effort: Effort) -> Section:
    """Run a suite of empty tests without the plugin and in its default mode."""
    took: dict[str, list[float]] = {"without the plugin": [], "default mode": []}
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "test_empty.py"
        suite.write_text(_SUITE.format(objects=effort.nodes, tests=_TESTS))
        for _ in range(max(1, effort.processes // 5)):
            took["without the plugin"].append(_run(suite, "-p", "no:coroguard"))
            took["default mode"].append(_run(suite))
    best = {name: min(times) for name, times in took.items()}
    added_s = best["default mode"] - best["without the plugin"]
    return Section(
        f"The pytest plugin, with {effort.nodes:,} live objects",
        ("a suite of empty tests", "time", "each test"),
        [(it, duration(all_s), duration(all_s / _TESTS)) for it, all_s in best.items()],
        [
            Target(
                "what the pytest plugin adds to a test",
                added_s / _TESTS * 1e3,
                1,
                unit=" ms",
            )
        ],
    )


def _run(suite: Path, *options: str) -> float:
    """Return the processor seconds from the first test to the end of the last."""
    alone = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:asyncio", "-s", "-q")
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *alone, *options, str(suite)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=suite.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"took ([\d.]+) s", finished.stdout)
    if found is None:
        raise RuntimeError(finished.stdout + finished.stderr)
    return float(found[1])
