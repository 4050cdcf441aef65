"""Names that collide, found in the source and the imported objects together."""

from __future__ import annotations

from .audit import Audit, audit

__all__ = ["Audit", "audit"]
