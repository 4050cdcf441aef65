"""Real name collisions, which are always undone."""

from __future__ import annotations

from .collision import KINDS, Collision, collide

__all__ = ["KINDS", "Collision", "collide"]
