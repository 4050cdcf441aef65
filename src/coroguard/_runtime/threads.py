"""Threads of the interpreter, also where gevent has replaced those of Python."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def original(module: str, name: str) -> Any:
    """Return a function as it was before gevent patched its module."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


#: The identity of the thread; greenlets of one thread share it.
get_ident = original("_thread", "get_ident")
start_new_thread = original("_thread", "start_new_thread")
allocate_lock = original("_thread", "allocate_lock")
sleep = original("time", "sleep")
