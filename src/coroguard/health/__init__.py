"""Health of a service: checks collected into a report, and answers to probes."""

from .checks import Checked
from .collection import acollect, collect
from .endpoint import health_response
from .left import left_behind
from .shared import HealthChecks

__all__ = [
    "Checked",
    "HealthChecks",
    "acollect",
    "collect",
    "health_response",
    "left_behind",
]
