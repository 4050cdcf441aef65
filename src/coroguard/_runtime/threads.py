"""Threads of the interpreter, also where gevent has replaced those of Python."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

K = TypeVar("K", bound="dict[int, Any] | set[int]")


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


def make_lock() -> Any:
    """Return a lock that a forked child finds open.

    It is reentrant, because a finalizer may run while its own thread holds it.
    """
    lock = threading.RLock()
    in_forked_child(getattr(lock, "_at_fork_reinit", None))
    return lock


def by_thread(kept: K) -> K:
    """Let a forked child forget what is kept for threads that it does not have.

    Args:
        kept: A dictionary or a set of the identities of threads.

    Returns:
        The very object.
    """

    def forget() -> None:
        for thread in {*kept} - {get_ident()}:
            if isinstance(kept, dict):
                kept.pop(thread, None)
            else:
                kept.discard(thread)

    in_forked_child(forget)
    return kept


def in_forked_child(callback: Callable[[], object] | None) -> None:
    """Call it in each child that this process forks, if there is one."""
    if callback is not None and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)
