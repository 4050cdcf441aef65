"""Server processes that end with their owner."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

from coroguard.demo.errors import StartError

_PR_SET_CHILD_SUBREAPER = 36
_SPAWN = Path(__file__).with_name("_spawn.py")
_POLL_S = 0.01
_PATIENCE_S = 5.0


class ServerProcess:
    """One server in a session of its own, so that Ctrl-C reaches only its owner.

    It has to be started on a thread that outlives it: Linux sends the death signal
    when the thread that forked ends, not when the process does.

    Args:
        name: What it is called in messages.
        log: The file that gets its output.
        stop_signal: The signal it ends on by itself; also sent when its owner dies.
        user: The account it runs as; empty means the same as the owner's.
    """

    def __init__(
        self,
        name: str,
        *,
        log: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: str = "",
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[psutil.Process] = []

    @property
    def running(self) -> bool:
        """Whether the process exists, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the last start."""
        if self._process is None:
            raise StartError(f"{self.name} was not started")
        return self._process.pid

    def spawn(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        feed: bytes = b"",
    ) -> None:
        """Start the command without waiting for it to be ready.

        Args:
            command: The program's full path and its arguments.
            env: Its environment; `None` means the owner's.
            cwd: Where it runs; `None` means where the owner runs.
            feed: What it reads from standard input; for what must not be in `ps`.
        """
        death = str(int(self._stop_signal))
        spawn = [sys.executable, "-I", "-S", str(_SPAWN), str(os.getpid()), death]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*spawn, self._user, *command],
                stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        if self._process.stdin is not None:
            with self._process.stdin as stdin, suppress(BrokenPipeError):
                stdin.write(feed)

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Wait until the server is ready.

        Raises:
            StartError: It ended first, or took longer; its last words are attached.
        """
        until = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                raise StartError(f"{self.name} ended at once:\n{self.last_words()}")
            if time.monotonic() > until:
                words = self.last_words()
                raise StartError(f"{self.name} not ready in {timeout_s:g} s:\n{words}")
            time.sleep(_POLL_S)

    def last_words(self) -> str:
        """Return the end of the server's log."""
        if not self.log.exists():
            return ""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-12:])

    def kill(self) -> None:
        """Kill the server without warning, as the kernel does when memory ends."""
        if self._process is not None and self.running:
            with _adopted(self._process.pid):
                self._process.kill()
                self._process.wait()
        self._frozen.clear()

    def freeze(self) -> None:
        """Suspend the server and its children: links stay, but silent."""
        root = psutil.Process(self.pid)
        root.suspend()
        self._frozen = [root, *root.children(recursive=True)]
        for child in self._frozen[1:]:
            with suppress(psutil.NoSuchProcess):
                child.suspend()

    def thaw(self) -> None:
        """Resume a frozen server; do nothing to one that is not frozen."""
        for process in reversed(self._frozen):
            with suppress(psutil.NoSuchProcess):
                process.resume()
        self._frozen.clear()

    def ask_to_stop(self) -> None:
        """Send the stop signal, to be followed by `stop()`."""
        self.thaw()
        if self._process is not None and self.running:
            with suppress(ProcessLookupError):
                self._process.send_signal(self._stop_signal)

    def stop(self) -> None:
        """End the server, by force when it does not follow; ended is fine too."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()


class Server(ABC):
    """A server of the demonstration that can be killed and started again.

    Args:
        process: Its process.
    """

    def __init__(self, process: ServerProcess) -> None:
        self.process = process
        self._port = 0
        self._place = socket.socket()

    @property
    def port(self) -> int:
        """A port on loopback, the same for the server's whole life.

        Linux keeps it for a socket that is bound and does not listen; otherwise a
        client or another server may get it while this one is down.
        """
        if not self._port:
            self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._place.bind(("127.0.0.1", 0))
            self._port = int(self._place.getsockname()[1])
            if sys.platform != "linux":  # where nothing else could bind it then
                self._place.close()
        return self._port

    @property
    @abstractmethod
    def url(self) -> str:
        """The address, password included."""

    @abstractmethod
    def spawn(self) -> None:
        """Start the server on its port.

        Raises:
            StartError: The program is missing.
        """

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether the server takes connections."""

    def wait_ready(self) -> None:
        """Wait until the server takes connections.

        Raises:
            StartError: It ended or took too long.
        """
        self.process.wait_until(self.is_ready)

    def kill(self) -> None:
        """Kill the server without warning."""
        self.process.kill()

    def restart(self) -> None:
        """Start a killed server again."""
        self.spawn()
        self.wait_ready()

    def stop(self) -> None:
        """End the server, and give its port away."""
        self.process.stop()
        self._place.close()


@contextmanager
def _adopted(pid: int) -> Generator[None, None, None]:
    """Reap the orphans of a process that ends meanwhile.

    Otherwise they go to process 1, and in a container that one often reaps nothing.
    """
    if sys.platform != "linux":
        yield
        return
    children = psutil.Process(pid).children(recursive=True)
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
        # A frozen orphan would never notice that its parent is gone.
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.resume()
            with suppress(ChildProcessError):
                os.waitpid(child.pid, 0)
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
