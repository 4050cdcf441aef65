"""The benchmarks run from end to end and show every line; no time is judged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("beartype", reason="the benchmarks need the group `bench`")
pytestmark = pytest.mark.slow(reason="every benchmark runs once, in new processes")

ROOT = Path(__file__).parents[2]
TITLES = (
    "Off at start-up",
    "Leak check on a sync function",
    "Leak check on an async function",
    "Full check of a report with five components",
    "Growth with the report's size",
    "Scan for awaitables",
    "An exception that passes a guard",
    "Five checks collected into a report",
    "The pytest plugin, with",
    "Schedules of 6 tasks",
    "Whole packages guarded",
    "Import in a fresh interpreter",
    "Throughput of a guarded WebSocket service",
    "Requests watched",
    "Targets",
)
PEERS = (
    "bare function",
    "hand-written, type(r) is CoroutineType",
    "hand-written, isinstance(r, CoroutineType)",
    "guard(returns=Any), -> int",
    "guard(returns=Any), not annotated",
    "*args, **kwargs closure",
    "wrapt.decorator, empty",
    "beartype",
    "typeguard.typechecked",
    "pydantic.validate_call, -> int",
    "hand-written async wrapper",
    "guard, strict",
    "guard, a HealthReport",
    "pydantic.validate_call, HealthReport",
    "typeguard.check_type, TypedDict, all items",
    "pydantic-core alone, HealthReport",
    "beartype is_bearable, TypedDict",
    "hand-written, no look inside details",
)
TARGETS = (
    "guard() hands back as they are",
    "leak check, -> int, beside hand-written",
    "leak check, not annotated, beside hand-written",
    "async guard beside hand-written",
    "full check beside validate_call",
    "full check beside typeguard",
    "exponent of growth",
    "import coroguard beside import pydantic",
    "full check of an instance beside validate_call",
    "leak check, a text, beside hand-written",
    "leak check, a dict of five, beside hand-written",
    "async guard in strict beside enforce",
    "scan of a list of numbers, each number",
    "what a guard adds in 5,000 lines",
    "what the pytest plugin adds to a test",
    "acollect, five async checks",
    "from coroguard import HealthReport beside BaseModel",
    "throughput kept by the",
    "what watching adds to a request",
    "what watching adds to a Starlette route",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What one smoke run prints, and the page that it writes."""
    folder = tmp_path_factory.mktemp("benchmarks")
    page = folder / "page.md"
    kept = folder / "kept.json"
    finished = run("--smoke", "--save", str(kept), "--write", str(page))
    assert finished.returncode == 0, finished.stderr
    return finished.stdout, page.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", [*TITLES, *PEERS, *TARGETS])
def test_every_line_is_printed(smoke: tuple[str, str], line: str) -> None:
    """Each line of the design has its number in the output."""
    assert line in smoke[0]


@pytest.mark.parametrize("line", [*TITLES, *PEERS, *TARGETS, "## Machine", "## Method"])
def test_every_line_is_written(smoke: tuple[str, str], line: str) -> None:
    """The page holds the same lines, and on which machine they were measured."""
    assert line in smoke[1]


def test_off_hands_the_function_back(smoke: tuple[str, str]) -> None:
    """In a process that starts in off, each function comes back as it is."""
    assert "of 4 kinds: 4.00 (≥ 4.00)" in smoke[0]


def test_targets_of_another_run_are_shown_beside(tmp_path: Path) -> None:
    """Values kept by one Python are in the page that another one writes."""
    kept, page = tmp_path / "kept.json", tmp_path / "page.md"
    run("off", "--smoke", "--save", str(kept))
    finished = run("off", "--smoke", "--write", str(page), "--beside", str(kept))
    assert finished.returncode == 0, finished.stderr
    assert "### On other Pythons" in page.read_text(encoding="utf-8")


def test_an_unknown_line_is_named() -> None:
    """An unknown line is refused, and the known ones are listed."""
    finished = run("thruput")
    assert finished.returncode == 2
    assert "unknown line 'thruput'; it is one of off, sync," in finished.stderr
