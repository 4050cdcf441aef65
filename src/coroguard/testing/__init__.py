"""Helpers for tests of guarded code; nothing here needs pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cases import GuardedAsyncTestCase, GuardedTestCase
    from .collisions import Collision, collide
    from .mocks import mock_of
    from .reports import health_report
    from .twins import async_twin, sync_twin

__all__ = [
    "Collision",
    "GuardedAsyncTestCase",
    "GuardedTestCase",
    "async_twin",
    "collide",
    "health_report",
    "mock_of",
    "sync_twin",
]

_HOMES = {
    "Collision": "collisions",
    "GuardedAsyncTestCase": "cases",
    "GuardedTestCase": "cases",
    "async_twin": "twins",
    "collide": "collisions",
    "health_report": "reports",
    "mock_of": "mocks",
    "sync_twin": "twins",
}


def __getattr__(name: str) -> Any:
    """Import a helper when it is first asked for; unittest and asyncio are slow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
