"""The environment of processes that send alerts."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def clean() -> dict[str, str]:
    """The environment without coroguard's variables, and without a proxy."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COROGUARD_")}
    return {**kept, "NO_PROXY": "127.0.0.1"}
