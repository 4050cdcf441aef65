"""The runtime guard against escaped coroutines."""

import os
from typing import TYPE_CHECKING

from ._lazy import lazy_names
from ._leaks.errors import (
    CoroguardError,
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    NotAwaitableError,
)
from ._leaks.leak import Leak, LeakKind
from ._runtime.modes import Mode, announce, configure, current, mode
from ._version import __version__

if TYPE_CHECKING:
    from ._guard.decorator import guard
    from ._guard.watch import watch
    from ._leaks.explain import explain
    from ._runtime.events import Call, Event, subscribe
    from ._runtime.status import status
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


# The import only settles the mode: a process that is off needs no more, and a program
# that asks for a model needs no guard. The rest is imported when it is first asked for.
_HOMES = {
    "Call": "_runtime.events",
    "ComponentHealth": "report.models",
    "Event": "_runtime.events",
    "HealthReport": "report.models",
    "explain": "_leaks.explain",
    "guard": "_guard.decorator",
    "protect": "bindings",
    "status": "_runtime.status",
    "strict_packages": "strictness",
    "subscribe": "_runtime.events",
    "unprotect": "bindings",
    "watch": "_guard.watch",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)

if os.environ.get("COROGUARD_PACKAGES") and current() is Mode.STRICT:
    from .strictness.packages import activate

    activate()

announce()
