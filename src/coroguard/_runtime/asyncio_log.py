"""Tasks that asyncio reports in its log, whose records all pass."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from .._leaks.leak import LeakKind
from .._leaks.origins import place, record
from .modes import current, unclaimed
from .unclaimed import report

if TYPE_CHECKING:
    from logging import LogRecord

_COMPLAINTS = (
    "Task was destroyed but it is pending",
    "Task exception was never retrieved",
    "Future exception was never retrieved",
)


def observe() -> None:
    """Look at asyncio's log records from now on; repeated calls change nothing."""
    import logging  # which is imported already in a program that uses asyncio

    logging.getLogger("asyncio").addFilter(_look_at)


def _look_at(entry: LogRecord) -> bool:
    """Report a complaint of asyncio as an unclaimed drop; pass every record."""
    try:
        if str(entry.msg).startswith(_COMPLAINTS) and unclaimed():
            _report(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
    except Exception:
        pass  # nothing here may disturb the log
    return True


def _report(frame: FrameType | None) -> None:
    context: dict[str, Any] = {}
    while frame is not None and not context:
        if frame.f_code.co_name == "default_exception_handler":
            context = frame.f_locals["context"]
        frame = frame.f_back
    for what in ("task", "future"):
        if what in context:
            leak = record(LeakKind.DROPPED, what, context[what])
            for made in list(context.get("source_traceback") or ())[-1:]:
                created = place(made.filename, made.lineno or 0)
                leak = replace(leak, created=created, created_in=made.name)
            report(leak, current())
            return
