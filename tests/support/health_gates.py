"""Fixtures of the gates: real services, a user's context, and planted faults."""

from __future__ import annotations

import importlib.util
import os
import uuid
from pathlib import Path

import pytest
from rig import shared_rig

from coroguard.demo.context import UserExecutionContext

PLANTS = Path(__file__).parents[1] / "mission_critical" / "plants"
MODE = os.environ.get("COROGUARD_MODE") or "enforce"
#: The fault that the self-test of the gates plants; none in an ordinary run.
PLANT = os.environ.get("COROGUARD_PLANT")


def plant(setattr_):
    """Plant the fault of the self-test in this process, if there is one."""
    if PLANT:
        file = PLANTS / "planted.py"
        spec = importlib.util.spec_from_file_location("planted", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.plant(PLANT, setattr_)


def new_context():
    """Return a user's context, made of real ids."""
    return UserExecutionContext(*(str(uuid.uuid4()) for _ in range(5)))


@pytest.fixture(scope="session")
def rig():
    """Real servers, with a fault proxy before each."""
    with shared_rig(mode=MODE, modules=PLANTS if PLANT else None) as rig:
        yield rig


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """The fault of the self-test; none in an ordinary run."""
    plant(monkeypatch.setattr)


@pytest.fixture
def user_context():
    """Make a user's context."""
    return new_context
