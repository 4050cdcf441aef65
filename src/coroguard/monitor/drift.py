"""The drift of a project from its lock, found by a new process."""

# In a process of its own, because only that imports the code as it is on disk now.

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from .findings import DRIFT, Finding

_LIMIT_S = 300.0
_CLEAN = 0


def drift_from(lock: Path) -> Finding:
    """Return whether the code has drifted from a lock, as ``lock --check`` finds it.

    Args:
        lock: The file, whose project is the current folder.
    """
    started = perf_counter()
    command = (sys.executable, "-m", "coroguard", "lock", "--check", "--file", lock)
    # A process that is off has no guards to compare.
    env = {**os.environ, "COROGUARD_MODE": "enforce"}
    try:
        ran = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
        code, output = ran.returncode, (ran.stdout + ran.stderr).strip()
    except subprocess.TimeoutExpired:
        code, output = None, f"no answer within {_LIMIT_S:g} s"
    took_s = perf_counter() - started
    if code == _CLEAN:
        return Finding(check=DRIFT, status="healthy", took_s=took_s)
    text = output or f"coroguard lock --check ended with {code}"
    return Finding(check=DRIFT, status="failed", text=text, took_s=took_s)
