"""Runs that are the same each time: no collection by itself, and fixed examples."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples where the slow tests are left out."""
    with suppress(ImportError):  # the tests of the gates do without it
        from hypothesis import settings

        ci = settings.get_profile("ci")
        settings.register_profile("fast", ci, max_examples=25)
        is_fast = config.option.markexpr == "not slow"
        settings.load_profile("fast" if is_fast else "ci")


@pytest.fixture
def collected_by_hand() -> Iterator[None]:
    """Let garbage wait until the test collects it."""
    gc.disable()
    yield
    gc.enable()
