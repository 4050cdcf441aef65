"""Servers in processes of their own, each on a port that the kernel chose."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: Seconds that only a dead program needs.
PATIENCE_S = 60.0
_ADDRESS = re.compile(r"https?://127\.0\.0\.1:(\d+)")


@contextmanager
def running(
    folder: Path, *command: str, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run ``python -m command``, and yield its address when it accepts connections.

    Args:
        folder: Where it runs.
        *command: A module and its arguments; it has to log its address.
        env: More variables.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, **(env or {}), "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    log = _Log(process)
    try:
        url = log.address()
        _await(process, int(url.rpartition(":")[2]))
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            log.close()


def ask(url: str) -> tuple[int, str]:
    """Return status and body of an answer, over a connection of its own."""
    asked = urllib.request.Request(url, headers={"X-Request-Id": "id-1"})
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _await(process: subprocess.Popen[str], port: int) -> None:
    """Wait until a server accepts connections; it may log its address before."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < ends, "the server accepts no connections"
            time.sleep(0.02)
        else:
            return


class _Log:
    """What a process writes, read to the end so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._address = ""
        self._seen = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)
            found = _ADDRESS.search(line)
            if found and not self._address:
                self._address = f"http://127.0.0.1:{found[1]}"
                self._seen.set()
        self._seen.set()

    def address(self) -> str:
        assert self._seen.wait(PATIENCE_S), "no address was logged"
        assert self._address, "".join(self._lines)
        return self._address

    def close(self) -> None:
        self._reader.join(PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
