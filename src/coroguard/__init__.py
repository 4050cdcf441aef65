"""The runtime guard against escaped coroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import (
    CoroguardError,
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    NotAwaitableError,
)
from .events import Event, subscribe
from .explain import explain
from .guard import guard
from .leaks import Leak, LeakKind
from .policy import Mode, configure, mode
from .watch import watch

if TYPE_CHECKING:
    from .report import ComponentHealth, HealthReport

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
    "subscribe",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Import the models when they are first asked for; they need pydantic."""
    if name in ("ComponentHealth", "HealthReport"):
        from . import report

        globals()[name] = found = getattr(report, name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the models too, imported or not."""
    return sorted({*globals(), *__all__})
