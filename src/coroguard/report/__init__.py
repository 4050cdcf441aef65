"""Health reports: the models and the check of any value against them."""

from .check import check_report
from .fast_path import is_plain_report
from .models import ComponentHealth, HealthReport
from .violations import violations

__all__ = [
    "ComponentHealth",
    "HealthReport",
    "check_report",
    "is_plain_report",
    "violations",
]
