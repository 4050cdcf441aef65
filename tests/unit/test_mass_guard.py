"""The mass guard counts what a guard changes, and not what time changes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEST = "tests/test_a.py::test_a"
_CASES = [
    ("passed", "failed", [_TEST]),
    ("passed", "passed", []),
    ("failed", "failed", []),
]


@pytest.mark.parametrize(("bare", "guarded", "lasting"), _CASES)
def test_change_counts_where_it_shows_alone_and_not_without_a_guard(
    bare: str,
    guarded: str,
    lasting: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A change that depends on time is not counted as one by the guard."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    driver: Any = importlib.import_module("benchmarks.mass_guard.__main__")
    ran: list[tuple[str, Sequence[str]]] = []

    class Bench(driver.Bench):  # type: ignore[misc]
        def run(self, project: object, guard: str, only: Sequence[str] = ()) -> Any:
            del project
            ran.append((guard, only))
            outcome = bare if guard == "bare" else guarded
            return driver.Run(outcomes={_TEST: outcome})

    before = driver.Run(outcomes={_TEST: "passed"})
    found = Bench(tmp_path, {}).lasting(None, "enforce", [_TEST], [before])
    assert found == lasting
    assert ran == [("bare", [_TEST])] * 3 + [("enforce", [_TEST])] * 3


def test_module_that_cannot_be_imported_always_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What has no test to repeat is a change."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    driver: Any = importlib.import_module("benchmarks.mass_guard.__main__")
    changed = ["collect tests/test_a.py"]
    found = driver.Bench(tmp_path, {}).lasting(None, "enforce", changed, [])
    assert found == changed
