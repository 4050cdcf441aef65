"""Helpers for tests of guarded code; nothing here needs pytest."""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

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

# A test run needs little of this, and unittest and asyncio are slow to import.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
