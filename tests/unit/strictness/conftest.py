"""Modules that are checked, without the import hook of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typeguard import (
    CollectionCheckStrategy,
    ForwardRefPolicy,
    checker_lookup_functions,
    config,
)

from coroguard import Event, subscribe
from coroguard.strictness.hook import allow_unreadable
from coroguard.strictness.refusal import refuser
from coroguard.strictness.rewriting import checked_code

Module = dict[str, Any]
Load = Callable[[str], Module]


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check what is called ``app`` as the import hook has it checked."""
    callback = refuser(lambda module: module.partition(".")[0] == "app", None)
    monkeypatch.setattr(config, "typecheck_fail_callback", callback)
    monkeypatch.setattr(
        config, "collection_check_strategy", CollectionCheckStrategy.ALL_ITEMS
    )
    monkeypatch.setattr(
        "typeguard._checkers.checker_lookup_functions",
        [*checker_lookup_functions, allow_unreadable],
    )
    monkeypatch.setattr(config, "forward_ref_policy", ForwardRefPolicy.IGNORE)


@pytest.fixture
def load(strict: None) -> Load:
    """Run a source with checks, as a module of a strict package."""

    def load(source: str, name: str = "app.users") -> Module:
        code, is_checked = checked_code(source.encode(), "users.py")
        assert is_checked
        module: Module = {"__name__": name}
        exec(code, module)
        return module

    return load


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """Every event of the test."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    yield seen
    unsubscribe()
