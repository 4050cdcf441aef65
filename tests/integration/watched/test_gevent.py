"""A process that gevent has patched, from its start to its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("gevent", reason="gevent is not made for this interpreter")

PROGRAM = """
from gevent import monkey

monkey.patch_all()

import gc
from typing import Any

import gevent

from coroguard import guard, subscribe


async def twin(): ...


@guard(returns=Any)
def check():
    return not twin()


class Finalized:
    def __init__(self):
        self.me = self

    def __del__(self):
        check()


seen = []
subscribe(seen.append)
gevent.joinall([gevent.spawn(check) for _ in range(3)])
print(len(seen))
kept = [Finalized() for _ in range(10)]
gc.set_threshold(1)
"""


def test_the_end_of_the_process_prints_nothing(tmp_path: Path) -> None:
    """Leaks of greenlets are events, and no error is printed at exit."""
    (tmp_path / "program.py").write_text(PROGRAM)
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert finished.stdout == "3\n"
    assert "Exception ignored" not in finished.stderr
    assert "Error" not in finished.stderr.replace("CoroutineLeakError", "")
