"""The work of a command, imported when the command is run."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NoReturn

_MISSING_EXTRA = 2


def run_work(target: str, *, extra: str, **options: object) -> NoReturn:
    """Import the function that does the work, and exit with its exit code.

    Args:
        target: ``module:function``, imported here so that ``--help`` stays fast.
        extra: The extra that its imports need.
        options: The function's arguments.
    """
    module, _, name = target.partition(":")
    try:
        with _exit_on_interrupt():
            work: Callable[..., int] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as missing:
        if (missing.name or "coroguard").partition(".")[0] == "coroguard":
            raise
        raise SystemExit(_require_extra(extra, missing)) from None
    raise SystemExit(work(**options))


@contextmanager
def _exit_on_interrupt() -> Generator[None, None, None]:
    """End the process at Ctrl-C at once, while there is nothing to clean up.

    An exception would not do: some extension modules replace it by one of their own.
    """
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_default or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda number, _frame: os._exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _require_extra(extra: str, missing: ModuleNotFoundError) -> int:
    """Write which extra to install and return the exit code for that."""
    sys.stderr.write(
        f"coroguard: {missing.name} is not installed; "
        f"run pip install 'coroguard[{extra}]'\n"
    )
    return _MISSING_EXTRA
