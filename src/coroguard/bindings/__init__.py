"""Names that must not change colour: guards by path, audit and lock."""

from __future__ import annotations

from .protection import protect, unprotect, verify
from .settings import protect_configured

__all__ = ["protect", "protect_configured", "unprotect", "verify"]
