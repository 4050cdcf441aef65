"""Fixtures of every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coroguard import configure
from coroguard._runtime import modes


@pytest.fixture
def process_mode() -> Iterator[None]:
    """Restore the settings of the process after a test that changes them."""
    before = vars(modes._Process).copy()
    yield
    configure(mode=before["mode"], scan_limit=before["scan_limit"])
    for name in ("unclaimed", "source"):
        setattr(modes._Process, name, before[name])
