"""The real services of the load gate, and the fault that is planted, if any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coroguard.demo.rig import shared_rig

PLANTS = Path(__file__).parents[2] / "mission_critical" / "plants"
MODE = os.environ.get("COROGUARD_MODE") or "enforce"
PLANT = os.environ.get("COROGUARD_PLANT")


@pytest.fixture(scope="session")
def rig():
    """Real servers, with a fault proxy before each."""
    with shared_rig(mode=MODE, modules=PLANTS if PLANT else None) as rig:
        yield rig
