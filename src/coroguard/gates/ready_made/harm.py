"""Harms: faults that are done to a component, and undone again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from ..faults import Latency, ResetPeer, Timeout

if TYPE_CHECKING:
    from ..faults import FaultProxy, Toxic

Strikes: TypeAlias = Literal["message", "connect"]


@dataclass(frozen=True, slots=True)
class Harm:
    """One way in which a component fails, and comes back.

    Args:
        name: What happens, `database refused` for one.
        begin: Makes it happen.
        end: Makes it well again.
        strikes: What fails: a ``"message"``, or, where the component is only asked
            when a user connects, the ``"connect"``.
        felt: Asks the component itself, past the error handler, and returns whether it
            fails now. Needed where the service goes on without the component: a harm
            that nobody notices proves nothing.
    """

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]
    strikes: Strikes = "message"
    felt: Callable[[], bool] | None = None

    def is_felt(self) -> bool:
        """Return whether the component was seen to fail past the error handler."""
        return self.felt is not None and bool(self.felt())

    @contextmanager
    def during(self) -> Generator[None, None, None]:
        """Make the component fail for the length of the block."""
        self.begin()
        try:
            yield
        finally:
            self.end()


class Server(Protocol):
    """A server process that can be killed, frozen and restarted."""

    def kill(self) -> None:
        """Kill it without warning (SIGKILL)."""
        ...

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP)."""
        ...

    def restart(self) -> None:
        """Start or resume it, and wait until it is ready."""
        ...


def harms_of_link(
    component: str,
    link: FaultProxy,
    *,
    slow_ms: float,
    strikes: Strikes = "message",
) -> list[Harm]:
    """Return the faults of a component's link, for a gate to inject.

    Args:
        component: The component's name.
        link: The proxy before it.
        slow_ms: What is too slow: more than the service's deadline.
        strikes: As for `Harm`.
    """

    def poison(word: str, toxic: Toxic) -> Harm:
        return Harm(f"{component} {word}", lambda: link.add(toxic), link.heal, strikes)

    return [
        Harm(f"{component} refused", link.down, link.up, strikes),
        poison("reset", ResetPeer()),
        poison("black-holed", Timeout()),
        poison("slow", Latency(slow_ms)),
    ]


def harms_of_server(
    component: str, server: Server, *, strikes: Strikes = "message"
) -> list[Harm]:
    """Return the faults of the process behind a component.

    Args:
        component: The component's name.
        server: The process.
        strikes: As for `Harm`.
    """
    return [
        Harm(f"{component} killed", server.kill, server.restart, strikes),
        Harm(f"{component} stopped", server.freeze, server.restart, strikes),
    ]
