"""The fault of the self-test, if one is planted."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

PLANTS = Path(__file__).parents[2] / "mission_critical" / "plants"
PLANT = os.environ.get("COROGUARD_PLANT")


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """The fault of the self-test; none in an ordinary run."""
    if PLANT:
        file = PLANTS / "planted.py"
        spec = importlib.util.spec_from_file_location("planted", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.plant(PLANT, monkeypatch.setattr)
