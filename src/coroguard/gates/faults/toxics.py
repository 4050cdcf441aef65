"""The faults of a link, in toxiproxy's words."""

# Source: https://github.com/Shopify/toxiproxy#toxics

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

# Upstream is what the client sends, downstream what the server answers.
Stream: TypeAlias = Literal["upstream", "downstream"]


class _Toxic:
    """A toxic, whose figures are not negative."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if not value >= 0:
                raise ValueError(f"{field.name}={value!r} is negative")


@dataclass(frozen=True, slots=True)
class Latency(_Toxic):
    """All data arrives later.

    Args:
        latency_ms: How much later; zero means at once.
    """

    latency_ms: float


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
class SlowClose(_Toxic):
    """The end of a stream arrives later.

    Args:
        delay_ms: How much later; zero means at once.
    """

    delay_ms: float


@dataclass(frozen=True, slots=True)
class Timeout(_Toxic):
    """Nothing arrives any more: a black hole. What it swallowed is lost.

    Args:
        timeout_ms: After that the link is closed; zero means never, and data flows
            again when the toxic is removed.
    """

    timeout_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ResetPeer(_Toxic):
    """The link ends with a TCP reset, as when a host or a firewall forgets it.

    Args:
        timeout_ms: How long the link lives first; zero means not at all.
    """

    timeout_ms: float = 0.0


Toxic: TypeAlias = Latency | Bandwidth | SlowClose | Timeout | ResetPeer
