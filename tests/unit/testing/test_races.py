"""Races that asyncio's own order hides, and programs that are right in any order."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from coroguard.testing.schedules import explore, replay

HERE = Path(__file__).parents[2] / "corpus" / "races"
NAMES = sorted(it.stem for it in HERE.glob("*.py") if it.stem != "__init__")


@pytest.fixture(scope="module")
def races() -> dict[str, ModuleType]:
    def load(name: str, file: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    load("planted_races", HERE / "__init__.py").__path__ = [str(HERE)]
    loaded = {it: load(f"planted_races.{it}", HERE / f"{it}.py") for it in NAMES}
    yield loaded
    for name in ("", *NAMES):
        del sys.modules[f"planted_races.{name}".rstrip(".")]


@pytest.mark.parametrize("name", NAMES)
def test_race_is_found_and_replayed(name: str, races: dict[str, ModuleType]) -> None:
    """Asyncio's own order hides it; one of 200 schedules shows it, again and again."""
    race = races[name].race
    failure = explore(race, runs=200).failure
    assert failure is not None
    assert failure.seed > 0
    assert failure.events
    assert replay(race, failure.token).reproduced == 5


@pytest.mark.parametrize("policy", ["jitter", "random", "pct"])
@pytest.mark.parametrize("name", NAMES)
def test_correct_program_passes(
    name: str, policy: str, races: dict[str, ModuleType]
) -> None:
    """No schedule makes a correct program fail."""
    assert explore(races[name].correct, runs=40, policy=policy).failure is None


@pytest.mark.slow(reason="2,000 schedules of each program take half a minute")
@pytest.mark.parametrize("name", NAMES)
def test_correct_program_passes_many(name: str, races: dict[str, ModuleType]) -> None:
    """No schedule of 2,000 makes a correct program fail."""
    assert explore(races[name].correct, runs=2_000).failure is None
