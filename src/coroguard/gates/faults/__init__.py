"""A TCP proxy that breaks a link on purpose, while it is in use."""

from .proxy import FaultProxy
from .toxics import (
    Bandwidth,
    Latency,
    ResetPeer,
    SlowClose,
    Stream,
    Timeout,
    Toxic,
)

__all__ = [
    "Bandwidth",
    "FaultProxy",
    "Latency",
    "ResetPeer",
    "SlowClose",
    "Stream",
    "Timeout",
    "Toxic",
]
