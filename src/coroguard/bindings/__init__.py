"""Names that must keep their colour: guards by path, audit and lock."""

from .protection import bare, protect, unprotect, verify
from .settings import protect_configured

__all__ = ["bare", "protect", "protect_configured", "unprotect", "verify"]
