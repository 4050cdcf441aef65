"""Names that collide: what the source and the imported objects say together."""

from __future__ import annotations

from .audit import Audit, audit

__all__ = ["Audit", "audit"]
