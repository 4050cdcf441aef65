"""Signals that end the command, once and only where it can clean up."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# Cells of a matrix hold on threads of their own.
_counting = threading.Lock()


class _State:
    """The signals that this process has received."""

    number = 0
    holds = 0
    is_ending = False


@contextlib.contextmanager
def ended_by_signals() -> Generator[None, None, None]:
    """Turn the signals of a cancelled pipeline into one exit that cleans up.

    A signal that is ignored when the command starts, as under ``nohup``, stays
    ignored. A second signal does not interrupt the cleaning up after the first.
    """
    _State.number, _State.is_ending = 0, False
    before = {
        number: handler
        for number in _ENDINGS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.number = 0


@contextlib.contextmanager
def held() -> Generator[None, None, None]:
    """Delay the effect of signals until after the block; `came` is true meanwhile."""
    with _counting:
        _State.holds += 1
    try:
        yield
    finally:
        with _counting:
            _State.holds -= 1
        if threading.current_thread() is threading.main_thread():
            _leave()


def came() -> bool:
    """Return whether a signal has come that ends the command."""
    return _State.number != 0


def _end(number: int, _frame: FrameType | None) -> None:
    _State.number = _State.number or number
    _leave()


def _leave() -> None:
    if _State.number and not _State.holds and not _State.is_ending:
        _State.is_ending = True
        raise SystemExit(128 + _State.number)
