"""Modules that are checked, without the import hook of the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coroguard.strictness import refusal
from coroguard.strictness.rewriting import checked_code

Module = dict[str, Any]
Load = Callable[[str], Module]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Run a source with checks, as a module of a strict package."""
    monkeypatch.setattr(refusal, "_places", set())

    def load(source: str, name: str = "app.users") -> Module:
        module: Module = {"__name__": name}
        exec(checked_code(source.encode(), "users.py"), module)
        return module

    return load


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any wrong type raise."""
    monkeypatch.setattr(refusal._Types, "raise_", True)
