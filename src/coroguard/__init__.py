"""The runtime guard against escaped coroutines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._guard.decorator import guard
from ._guard.watch import watch
from ._leaks.errors import (
    CoroguardError,
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    NotAwaitableError,
)
from ._leaks.explain import explain
from ._leaks.leak import Leak, LeakKind
from ._runtime.events import Event, subscribe
from ._runtime.modes import Mode, configure, current, mode
from ._runtime.status import announce, status
from ._version import __version__

if TYPE_CHECKING:
    from .bindings import protect, unprotect
    from .report.models import ComponentHealth, HealthReport
    from .strictness import strict_packages

__all__ = [
    "ComponentHealth",
    "CoroguardError",
    "CoroutineLeakError",
    "Event",
    "GuardUsageError",
    "HealthReport",
    "HealthReportError",
    "Leak",
    "LeakKind",
    "Mode",
    "NotAwaitableError",
    "__version__",
    "configure",
    "explain",
    "guard",
    "mode",
    "protect",
    "status",
    "strict_packages",
    "subscribe",
    "unprotect",
    "watch",
]


# What needs a heavy dependency is imported when it is first asked for.
_HOMES = {
    "ComponentHealth": "report",
    "HealthReport": "report",
    "protect": "bindings",
    "strict_packages": "strictness",
    "unprotect": "bindings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List what is imported later, too."""
    return sorted({*globals(), *__all__})


if os.environ.get("COROGUARD_PACKAGES") and current() is Mode.STRICT:
    from .strictness.packages import activate

    activate()

announce()
