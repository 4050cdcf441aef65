"""Load on a service: users for Locust, and criteria that a run has to meet."""

from typing import TYPE_CHECKING

from coroguard._lazy import lazy_names

if TYPE_CHECKING:
    from .gate import load_gate
    from .users import ChatUser, HealthUser, Lost, Mixed, Refused

__all__ = ["ChatUser", "HealthUser", "Lost", "Mixed", "Refused", "load_gate"]

_HOMES = {
    "ChatUser": "users",
    "HealthUser": "users",
    "Lost": "users",
    "Mixed": "users",
    "Refused": "users",
    "load_gate": "gate",
}

# The users import Locust, which replaces the sockets of its whole process; a gate
# must not, and starts it as a process.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
