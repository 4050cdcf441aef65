"""Names that collide, found in the source and the imported objects together."""

from .audit import Audit, audit

__all__ = ["Audit", "audit"]
