"""Schedules: a seed's choice of which ready task steps next."""

from .explorer import Exploration, Failure, Replay, explore, replay
from .faults import Fault, cancellations, delays, exceptions
from .schedule import StuckError, Swap

__all__ = [
    "Exploration",
    "Failure",
    "Fault",
    "Replay",
    "StuckError",
    "Swap",
    "cancellations",
    "delays",
    "exceptions",
    "explore",
    "replay",
]
