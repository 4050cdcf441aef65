"""Drops that no guard and no watch claims."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._leaks.errors import leak_error
from .events import Event, emit
from .modes import Mode, current, unclaimed

if TYPE_CHECKING:
    from .._leaks.leak import Leak

_takers: list[Callable[[Any, bool], object]] = []


def add_taker(taker: Callable[[Any, bool], object]) -> Callable[[], None]:
    """Pass unclaimed drops to ``taker``; return a function that ends it."""

    def give(coroutine: Any, collected: bool) -> None:
        taker(coroutine, collected)

    def take_back() -> None:
        if give in _takers:
            _takers.remove(give)

    _takers.append(give)
    return take_back


def give_away(coroutine: Any, leak: Leak, terms: Any, *, collected: bool) -> None:
    """Report an unclaimed drop to its guard, the latest taker or the subscribers.

    Args:
        coroutine: What was dropped.
        leak: Its description.
        terms: Those of the guard that made it, or ``None``: a guarded function that
            nobody awaited reports itself.
        collected: Whether the garbage collector found it.
    """
    takers = list(_takers)
    mode = current() if terms is None else terms.mode
    if terms is not None and mode is not Mode.OFF and not (collected and takers):
        report(leak.within(terms.name, is_async=True), mode)
    elif takers:
        takers[-1](coroutine, collected)
    elif unclaimed():
        report(leak, mode)


def report(leak: Leak, mode: Mode) -> None:
    """Emit the event of a leak that no caller can raise."""
    leak = leak if leak.advice else leak.within("", is_async=True)
    event = Event(
        leak=leak,
        error=leak_error(leak),
        action="reported",
        mode=mode,
        guarded=leak.guarded,
        at=datetime.now(UTC),
    )
    emit(event)
