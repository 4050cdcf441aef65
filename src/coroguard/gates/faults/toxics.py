"""The faults of a link, in toxiproxy's words."""

# Source: https://github.com/Shopify/toxiproxy#toxics

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Upstream is what the client sends, downstream what the server answers.
Stream: TypeAlias = Literal["upstream", "downstream"]


@dataclass(frozen=True, slots=True)
class Latency:
    """All data arrives later.

    Args:
        latency_ms: How much later; zero means at once.
    """

    latency_ms: float

    def __post_init__(self) -> None:
        _refuse_negative("latency_ms", self.latency_ms)


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """All data trickles.

    Args:
        rate_kb_s: Kilobytes (1,000 bytes) a second, more than zero.
    """

    rate_kb_s: float

    def __post_init__(self) -> None:
        if not self.rate_kb_s > 0:
            raise ValueError(f"rate_kb_s={self.rate_kb_s!r} is not more than zero")


@dataclass(frozen=True, slots=True)
class SlowClose:
    """The end of a stream arrives later.

    Args:
        delay_ms: How much later; zero means at once.
    """

    delay_ms: float

    def __post_init__(self) -> None:
        _refuse_negative("delay_ms", self.delay_ms)


@dataclass(frozen=True, slots=True)
class Timeout:
    """Nothing arrives any more: a black hole. What it swallowed is lost.

    Args:
        timeout_ms: After that the link is closed; zero means never, and data flows
            again when the toxic is removed.
    """

    timeout_ms: float = 0.0

    def __post_init__(self) -> None:
        _refuse_negative("timeout_ms", self.timeout_ms)


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """The link ends with a TCP reset, as when a host or a firewall forgets it.

    Args:
        timeout_ms: How long the link lives first; zero means not at all.
    """

    timeout_ms: float = 0.0

    def __post_init__(self) -> None:
        _refuse_negative("timeout_ms", self.timeout_ms)


Toxic: TypeAlias = Latency | Bandwidth | SlowClose | Timeout | ResetPeer


def _refuse_negative(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name}={value!r} is negative")
