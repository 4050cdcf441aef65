"""The record of a running test, where the fixture and the recorder both find it."""

from __future__ import annotations

import json
import os

import pytest

from .job import VERDICTS_SO_FAR
from .record import GateRecord

RECORD = pytest.StashKey[GateRecord]()


def record_of(item: pytest.Item) -> GateRecord:
    """Return the record of a test, which it may not have asked for itself."""
    return item.stash.get(RECORD, None) or new_record(item)


def new_record(item: pytest.Item) -> GateRecord:
    """Return a record for a test; nothing reads it outside `coroguard gate`."""
    record = GateRecord(json.loads(os.environ.get(VERDICTS_SO_FAR, "{}")))
    item.stash[RECORD] = record
    return record
