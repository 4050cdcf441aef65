"""Modes and settings of the process and of the context."""

from __future__ import annotations

import contextlib
import enum
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import partial
from typing import Literal, Never, Self

from .._inspect.texts import nearest
from .._inspect.values import NODES
from .._leaks.errors import GuardUsageError
from .._leaks.origins import place
from .._version import __version__
from . import hot as _hot
from .collector import interrupted, interruptions
from .threads import make_lock

usage_error = partial(GuardUsageError, code="CG202")
VARIABLE = "COROGUARD_MODE"
UNCLAIMED_VARIABLE = "COROGUARD_UNCLAIMED"
_SETTINGS = ("mode", "unclaimed", "scan_limit")
_UNCLAIMED = ("report", "off")

#: A mode, by its word.
ModeName = Literal["off", "observe", "enforce", "strict"]
#: The treatment of drops that no guard and no watch claims.
Unclaimed = Literal["report", "off"]


class Mode(enum.StrEnum):
    """The mode of a guard, which decides what it does about a finding."""

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
        raise usage_error(
            f"{source}={value!r} is not a mode; use one of: {known}.{hint}"
        ) from None


def _parse_unclaimed(value: object, source: str) -> bool:
    word = value.strip().lower() if isinstance(value, str) else value
    if word in _UNCLAIMED:
        return word == "report"
    hint = nearest(word, _UNCLAIMED) if isinstance(word, str) else ""
    raise usage_error(f"{source}={value!r} is neither 'report' nor 'off'.{hint}")


class process:  # noqa: N801 - one object, never instantiated
    """Settings that apply where the context has none of its own."""

    variable = os.environ.get(VARIABLE) or ""
    mode = parse(variable or Mode.ENFORCE, VARIABLE)
    started = mode
    source = VARIABLE if variable else "default"
    scan_limit = NODES
    #: The number of functions that were guarded in mode off, and stay bare.
    bare = 0
    has_announced = False
    has_warned = False
    unclaimed = _parse_unclaimed(
        os.environ.get(UNCLAIMED_VARIABLE) or "off", UNCLAIMED_VARIABLE
    )


_lock = make_lock()
#: Called after each change of a setting.
on_change: list[Callable[[], object]] = []
_here: ContextVar[Mode | None] = ContextVar("coroguard_mode", default=None)


def configure(
    *,
    mode: Mode | ModeName | None = None,
    unclaimed: Unclaimed | None = None,
    scan_limit: int | None = None,
    **unknown: Never,
) -> None:
    """Configure the process; settings that are not given keep their value.

    Args:
        mode: ``off``, ``observe``, ``enforce`` or ``strict``.
        unclaimed: ``report`` or ``off``: whether dropped coroutines that no
            guard and no watch claims become events. In ``strict`` they always
            do.
        scan_limit: Most nodes of a value that a scan reads, at least 1.
        **unknown: Refused, with the nearest right name.

    Raises:
        GuardUsageError: An unknown setting or value; nothing is changed.
    """
    for name in unknown:
        hint = nearest(name, _SETTINGS)
        raise usage_error(
            f"configure() has no setting {name!r}; it has {', '.join(_SETTINGS)}.{hint}"
        )
    chosen = process.mode if mode is None else parse(mode)
    reports = process.unclaimed
    if unclaimed is not None:
        reports = _parse_unclaimed(unclaimed, "unclaimed")
    limit = process.scan_limit if scan_limit is None else scan_limit
    if type(limit) is not int or limit < 1:
        raise usage_error(f"scan_limit={limit!r} is not a whole number of at least 1.")
    with _lock:
        _hot.add_alert((chosen is Mode.STRICT) - (process.mode is Mode.STRICT))
        process.mode, process.scan_limit = chosen, limit
        process.unclaimed = reports
        if mode is not None:
            caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
            where = place(caller.f_code.co_filename, caller.f_lineno)
            process.source = f"configure() at {where}"
    warn_if_late()
    for changed in on_change:
        changed()


def current() -> Mode:
    """Return the mode that applies here: the context's, else the process's.

    While the collector runs, no context variable may be read.
    """
    if interruptions and interrupted() is not None:
        return process.mode
    return _here.get() or process.mode


def source() -> str:
    """Return what set the mode that applies here."""
    return "mode() in this context" if _here.get() else process.source


def started_off() -> bool:
    """Return whether the environment switched coroguard off for this process."""
    return process.started is Mode.OFF


def late() -> list[str]:
    """Return the settings and guards that came too late to apply, a sentence each."""
    found: list[str] = []
    value = os.environ.get(VARIABLE) or ""
    is_late = value != process.variable and process.source in (VARIABLE, "default")
    if value and is_late:
        found.append(
            f"{VARIABLE}={value!r} was set after coroguard was imported, and mode "
            f"{process.mode} still applies; set it before the import, or call "
            f"configure(mode={value!r})"
        )
    if process.bare and process.mode is not Mode.OFF:
        one = process.bare == 1
        found.append(
            f"{process.bare} {'function was' if one else 'functions were'} guarded "
            f"in mode off and {'stays' if one else 'stay'} bare; set {VARIABLE} "
            "before coroguard is imported"
        )
    return found


def warn_if_late() -> None:
    """Log once the settings and guards that came too late to apply."""
    if process.has_warned:
        return
    problems = late()
    if problems:
        import logging

        process.has_warned = True
        for problem in problems:
            logging.getLogger("coroguard").warning("%s", problem)


def announce() -> None:
    """Log the mode once at INFO, as soon as the program's logging would show it."""
    logging = sys.modules.get("logging")
    if process.has_announced or logging is None:
        return
    log = logging.getLogger("coroguard")
    if not log.isEnabledFor(logging.INFO) or not log.hasHandlers():
        return
    process.has_announced = True
    now = current()
    log.info(
        "coroguard %s: mode %s (set by %s)",
        __version__,
        now,
        source(),
        extra={"event.name": "coroguard.start", "coroguard_mode": now.value},
    )


def unclaimed(*, in_context: bool = True) -> bool:
    """Return whether drops that no guard and no watch claims become events.

    Args:
        in_context: Whether the context may be read. While the collector runs
            or a coroutine is being closed it must not be; the mode of the
            process applies then.
    """
    mode = current() if in_context else process.mode
    return mode is Mode.STRICT or (process.unclaimed and mode is not Mode.OFF)


class mode:  # noqa: N801 - used like a function, as ``decimal.localcontext`` is
    """Set another mode inside a ``with`` block, for this context only.

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

    def __exit__(self, *_error: object) -> None:
        # A generator may be resumed in another context, where the mode was not set.
        with contextlib.suppress(ValueError):
            _here.reset(self._tokens.pop())
        _hot.add_alert(-(self.value is Mode.STRICT))


_hot.add_alert(process.mode is Mode.STRICT)
on_change.append(announce)
