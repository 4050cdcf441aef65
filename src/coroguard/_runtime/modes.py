"""How strict is coroguard, here and now?"""

from __future__ import annotations

import enum
import os
import threading
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Literal, Never, Self

from .._leaks.errors import GuardUsageError, nearest
from .._leaks.scan import NODES
from . import hot as _hot

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Mode", "ModeName", "configure", "current", "mode", "parse", "scan_limit"]

VARIABLE = "COROGUARD_MODE"


#: A mode, by its word.
ModeName = Literal["off", "observe", "enforce", "strict"]


class Mode(enum.StrEnum):
    """What a guard does about what it finds."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"
    STRICT = "strict"


def parse(value: object, source: str = "mode") -> Mode:
    """Return the mode that a word names.

    Raises:
        GuardUsageError: No mode has that name.
    """
    if isinstance(value, Mode):
        return value
    word = value.strip().lower() if isinstance(value, str) else value
    try:
        return Mode(word)  # type: ignore[arg-type]
    except ValueError:
        known = ", ".join(Mode)
        hint = nearest(word, map(str, Mode)) if isinstance(word, str) else ""
        raise GuardUsageError(
            f"{source}={value!r} is not a mode; use one of: {known}.{hint}"
        ) from None


class _Process:
    """What holds where no context says otherwise."""

    mode = parse(os.environ.get(VARIABLE) or Mode.ENFORCE, VARIABLE)
    started = mode
    scan_limit = NODES


_lock = threading.Lock()
_here: ContextVar[Mode | None] = ContextVar("coroguard_mode", default=None)


def configure(
    *,
    mode: Mode | ModeName | None = None,
    scan_limit: int | None = None,
    **unknown: Never,
) -> None:
    """Set how strict the process is; what is not named stays as it is.

    Args:
        mode: ``off``, ``observe``, ``enforce`` or ``strict``.
        scan_limit: Most nodes of a value that a scan reads, at least 1.
        **unknown: Refused, with the nearest right name.

    Raises:
        GuardUsageError: An unknown setting, mode or limit; nothing is changed.
    """
    for name in unknown:
        hint = nearest(name, ("mode", "scan_limit"))
        raise GuardUsageError(
            f"configure() has no setting {name!r}; it has mode, scan_limit.{hint}"
        )
    chosen = _Process.mode if mode is None else parse(mode)
    limit = _Process.scan_limit if scan_limit is None else scan_limit
    if type(limit) is not int or limit < 1:
        raise GuardUsageError(
            f"scan_limit={limit!r} is not a whole number of at least 1."
        )
    with _lock:
        _hot.add_alert((chosen is Mode.STRICT) - (_Process.mode is Mode.STRICT))
        _Process.mode, _Process.scan_limit = chosen, limit


def current() -> Mode:
    """Return the mode that holds here: the context's, else the process's."""
    return _here.get() or _Process.mode


def started_off() -> bool:
    """Say whether the environment switched coroguard off for this process."""
    return _Process.started is Mode.OFF


def scan_limit() -> int:
    """Return the most nodes of a value that a scan reads."""
    return _Process.scan_limit


class mode:  # noqa: N801 - used like a function, as ``decimal.localcontext`` is
    """Hold another mode inside a ``with`` block, for this context only.

    Args:
        value: ``off``, ``observe``, ``enforce`` or ``strict``.

    Raises:
        GuardUsageError: No mode has that name.
    """

    def __init__(self, value: Mode | ModeName) -> None:
        self.value = parse(value)
        self._tokens: list[Token[Mode | None]] = []

    def __enter__(self) -> Self:
        self._tokens.append(_here.set(self.value))
        _hot.add_alert(self.value is Mode.STRICT)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _here.reset(self._tokens.pop())
        _hot.add_alert(-(self.value is Mode.STRICT))


_hot.add_alert(_Process.mode is Mode.STRICT)
