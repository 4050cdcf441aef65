"""Health reports: the models and the check of any value against them."""

from __future__ import annotations

from .models import (
    ComponentHealth,
    HealthReport,
    check_report,
    is_plain_report,
    violations,
)

__all__ = [
    "ComponentHealth",
    "HealthReport",
    "check_report",
    "is_plain_report",
    "violations",
]
