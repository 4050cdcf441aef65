"""What may a test use to belong to a gate? Loaded into every run of pytest."""

from __future__ import annotations

import json
import os

import pytest

from .job import VERDICTS_SO_FAR
from .record import GateRecord

__all__ = ["RECORD", "gate_record", "pytest_configure"]

RECORD = pytest.StashKey[GateRecord]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line(
        "markers",
        "gate(name, blocks_deployment=True): "
        "a test that the deployment gate of this name expects to pass",
    )


@pytest.fixture
def gate_record(request: pytest.FixtureRequest) -> GateRecord:
    """Say what this test really did; without `coroguard gate` nobody reads it."""
    record = GateRecord(json.loads(os.environ.get(VERDICTS_SO_FAR, "{}")))
    request.node.stash[RECORD] = record
    return record
