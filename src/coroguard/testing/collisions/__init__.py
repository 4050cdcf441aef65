"""Names that are made to collide, for real, and put back whatever happens."""

from __future__ import annotations

from .collision import KINDS, Collision, collide

__all__ = ["KINDS", "Collision", "collide"]
