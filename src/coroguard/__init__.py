"""The runtime guard against escaped coroutines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._guard.decorator import guard
from ._guard.watch import watch
from ._lazy import lazy_names
from ._leaks.errors import (
    CoroguardError,
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    NotAwaitableError,
)
from ._leaks.explain import explain
from ._leaks.leak import Leak, LeakKind
from ._runtime.events import Call, Event, subscribe
from ._runtime.modes import Mode, configure, current, mode
from ._runtime.status import announce, status
from ._version import __version__

if TYPE_CHECKING:
    from .bindings import protect, unprotect
    from .report.models import ComponentHealth, HealthReport
    from .strictness import strict_packages

__all__ = [
    "Call",
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


# Names that need a heavy dependency are imported on first access.
_HOMES = {
    "ComponentHealth": "report",
    "HealthReport": "report",
    "protect": "bindings",
    "strict_packages": "strictness",
    "unprotect": "bindings",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)

if os.environ.get("COROGUARD_PACKAGES") and current() is Mode.STRICT:
    from .strictness.packages import activate

    activate()

announce()
