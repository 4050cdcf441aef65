"""Guards in a child that a program with threads has forked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are POSIX's")

_PROGRAM = """
import os, threading, time, warnings
from typing import Any
import coroguard
from coroguard._runtime import collector, drops, events, hot, leak_log, modes, status

warnings.simplefilter("ignore")
seen = []
coroguard.subscribe(seen.append)
async def left(): ...

@coroguard.guard(returns=Any)
def check():
    left()
    return 1

held, ends = threading.Event(), threading.Event()
locks = [it._lock for it in (events, hot, leak_log, modes, status)]
of_threads = [collector.interruptions, events._delivering, drops._handled]

@coroguard.guard(returns=Any)
def unfinished():
    left()
    hold()

def hold():
    me = threading.get_ident()
    for lock in (*locks, drops._pending_lock):
        lock.acquire()
    for kept in of_threads:
        kept.add(me) if isinstance(kept, set) else kept.update({me: 0})
    held.set()
    ends.wait()

thread = threading.Thread(target=unfinished, daemon=True)
thread.start()
held.wait()

child = os.fork()
if child == 0:
    coroguard.configure(mode="observe")
    check()
    left_over = [kept for kept in (*of_threads, drops.pending) if kept]
    os._exit(0 if len(seen) == 1 and not left_over else 3)
code = "the child waits for a thread that it does not have"
ends_at = time.monotonic() + 30
while time.monotonic() < ends_at:
    done, ended = os.waitpid(child, os.WNOHANG)
    if done:
        code = os.waitstatus_to_exitcode(ended)
        break
    time.sleep(0.02)
else:
    os.kill(child, 9)
    os.waitpid(child, 0)
print(code, flush=True)
os._exit(0)  # the locks are still held
"""


def test_forked_child_waits_for_no_lock_of_another_thread() -> None:
    """What another thread held at the fork neither blocks nor mutes the child."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout == "0\n", ran.stderr
