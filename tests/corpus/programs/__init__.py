"""Correct programs on which nothing may ever be reported: `PROGRAMS`."""

from . import (
    contracts,
    crashes,
    deferred,
    live,
    objects,
    promised,
    tasks,
    values,
    written,
)
from .registry import PROGRAMS

__all__ = [
    "PROGRAMS",
    "contracts",
    "crashes",
    "deferred",
    "live",
    "objects",
    "promised",
    "tasks",
    "values",
    "written",
]
