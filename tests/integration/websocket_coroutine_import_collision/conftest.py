"""The real services that the health check of these tests asks."""

from __future__ import annotations

import importlib.util
import os
import uuid
from pathlib import Path

import pytest

from coroguard.demo.context import UserExecutionContext
from coroguard.demo.rig import shared_rig

PLANTS = Path(__file__).parents[2] / "mission_critical" / "plants"
MODE = os.environ.get("COROGUARD_MODE") or "enforce"
PLANT = os.environ.get("COROGUARD_PLANT")


@pytest.fixture(scope="session")
def rig():
    """Real servers, with a fault proxy before each."""
    with shared_rig(mode=MODE, modules=PLANTS if PLANT else None) as rig:
        yield rig


@pytest.fixture
def lane(rig, gate_record):
    """A chat service on links of its own, which are well when the test begins."""
    rig.add_services(gate_record)
    rig.spawn("crowd", deadline_s=2.0)
    lane = rig.lane("crowd")
    yield lane
    for link in lane.links.values():
        link.heal()


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """The fault of the self-test, in this process; none in an ordinary run."""
    if PLANT:
        file = PLANTS / "planted.py"
        spec = importlib.util.spec_from_file_location("planted", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.plant(PLANT, monkeypatch.setattr)


@pytest.fixture
def addresses(rig, lane, monkeypatch):
    """The health check of this process, led over the same links as the service."""
    for name, url in rig.addresses(lane.links).items():
        monkeypatch.setenv(name, url)


@pytest.fixture
def user_context():
    """Make a user's context out of real ids."""

    def make():
        return UserExecutionContext(*(str(uuid.uuid4()) for _ in range(5)))

    return make
