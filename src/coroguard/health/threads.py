"""Threads that no program waits for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

from .._runtime.threads import start_new_thread


def start(context: Context, work: Callable[[], Any], name: str) -> None:
    """Start a daemon thread that does ``work`` in a context.

    A thread that gevent has replaced would be a greenlet of this thread, which a
    check that blocks takes with it: then the interpreter's own is started.

    Raises:
        RuntimeError: No more threads can be started.
    """
    if getattr(sys.modules.get("gevent.monkey"), "saved", None):
        start_new_thread(context.run, (work,))
    else:
        threading.Thread(
            target=context.run, args=(work,), name=name, daemon=True
        ).start()
