"""The service that the ready-made gates look at."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "stranger", Path(__file__).with_name("stranger.py")
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


@pytest.fixture
def stranger():
    """Make a service with a flaw, or with none."""
    return _module.Stranger


@pytest.fixture
def served():
    """Serve it."""
    return _module.served
