"""Hooks and fixtures that pytest loads by this package's name."""

from .plugin import (
    collide,
    coroguard_leaks,
    gate_record,
    health_report,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_report_header,
)

__all__ = [
    "collide",
    "coroguard_leaks",
    "gate_record",
    "health_report",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_report_header",
]
