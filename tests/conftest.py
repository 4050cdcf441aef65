"""Fixtures of every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coroguard import configure
from coroguard._runtime.modes import current


@pytest.fixture
def process_mode() -> Iterator[None]:
    """Give the process its mode back after a test that sets it."""
    before = current()
    yield
    configure(mode=before)
