"""Real name collisions, which are always undone."""

from .collision import KINDS, Collision, collide

__all__ = ["KINDS", "Collision", "collide"]
