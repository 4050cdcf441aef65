"""Runs of Locust that nothing outlives, with faults injected meanwhile."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from ..process import pipe_holding
from ..sealed import NotThisRunError, read_sealed
from ..signals import came, held
from .job import NONCE_FD, REPORT, LoadJob
from .metrics import Watcher
from .report import Fault, LoadReport

if TYPE_CHECKING:
    from .config import LoadConfig

_LOOK_S = 0.1
# For starting, for the workers to connect, and for the last users to stop.
_SLACK_S = 180.0
_GRACE_S = 10.0
_OUTPUT_END = 2000


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault to inject, in seconds since all users are there.

    Args:
        name: What happens.
        at_s: When it begins.
        for_s: How long it lasts.
        begin: Makes it happen.
        end: Makes it well again.
    """

    name: str
    at_s: float
    for_s: float
    begin: Callable[[], object]
    end: Callable[[], object]


def by_command(config: LoadConfig) -> list[Injection]:
    """Return the faults that shell commands of the configuration inject."""

    def run(command: str) -> Callable[[], object]:
        return lambda: subprocess.run(
            command, shell=True, check=True, stdin=subprocess.DEVNULL, timeout=60
        )

    return [
        Injection(it.name, it.at_s, it.for_s, run(it.begin), run(it.end))
        for it in config.faults
    ]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Workers that are started elsewhere.

    Args:
        workers: How many are waited for.
        host: Where they connect to; ``*`` is each address of this machine.
        port: The port for it.
    """

    workers: int
    host: str = "*"
    port: int = 5557


def run_load(
    config: LoadConfig,
    *,
    root: Path,
    host: str,
    faults: Sequence[Injection] = (),
    elsewhere: Elsewhere | None = None,
    progress: Callable[[dict[str, Any]], None] = lambda _numbers: None,
) -> LoadReport:
    """Run the users of a load file against a service, and return the results.

    Args:
        config: How many users, for how long, in how many processes.
        root: The folder that the load file is relative to.
        host: The address of the service.
        faults: What is injected meanwhile, one after another.
        elsewhere: The workers on other machines; ``None`` for no workers.
        progress: Is called with the numbers so far, about twice a second.
    """
    if importlib.util.find_spec("locust") is None:
        return LoadReport(
            broken="Locust is not installed; run pip install 'coroguard[load]'"
        )
    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(TemporaryDirectory(prefix="coroguard-load-"))
        job = LoadJob(Path(folder), config.duration_s)
        watcher = None
        if config.metrics:
            watcher = opened.enter_context(Watcher(config.metrics))
        run = _Run(job, _command(config, root, host, elsewhere), root)
        limit_s = config.duration_s + config.users / _rate(config) + _SLACK_S
        with held(), run:
            injected = run.watch(time.monotonic() + limit_s, faults, progress)
        report = run.report()
        faults_seen = [_since(report.started, report.ready, it) for it in injected]
        report = replace(report, faults=tuple(faults_seen))
        if watcher is None:
            return report
        opened.close()
        return replace(report, metrics=watcher.metrics(report.started))


def _since(started: float, ready: float, fault: Fault) -> Fault:
    """Return a fault with its times since the first user and not since the last."""
    later = ready - started
    return replace(fault, began_s=fault.began_s + later, ended_s=fault.ended_s + later)


def _rate(config: LoadConfig) -> float:
    return config.spawn_rate or max(1.0, config.users / 5)


def _command(
    config: LoadConfig, root: Path, host: str, elsewhere: Elsewhere | None
) -> list[str]:
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
    command += ["-f", str(root / config.file), "--host", host]
    command += ["--users", str(config.users), "--spawn-rate", str(_rate(config))]
    if elsewhere:
        command += ["--master", "--expect-workers", str(elsewhere.workers)]
        command += ["--expect-workers-max-wait", "120"]
        command += ["--master-bind-host", elsewhere.host]
        command += ["--master-bind-port", str(elsewhere.port)]
    elif config.processes > 1:
        port = str(_free_port())
        command += ["--processes", str(config.processes)]
        command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        command += ["--master-port", port]
    return command


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class _Run:
    """One process of Locust and all that it starts."""

    def __init__(self, job: LoadJob, command: Sequence[str], root: Path) -> None:
        self._job = job
        self._command = command
        self._root = root
        self._nonce = secrets.token_bytes(32)
        self._output = job.folder / "output.txt"
        self._opened = contextlib.ExitStack()
        self._over_limit = False

    def __enter__(self) -> Self:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LOCUST_") and name != REPORT
        }
        with contextlib.ExitStack() as opening:
            pipe = opening.enter_context(pipe_holding(self._nonce))
            output = opening.enter_context(self._output.open("wb"))
            self._process = subprocess.Popen(
                self._command,
                cwd=self._root,
                env={**environment, **self._job.variables, NONCE_FD: str(pipe)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(pipe,),
                start_new_session=True,
            )
            self._opened = opening.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_S)
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._opened.close()

    def watch(
        self,
        deadline: float,
        faults: Sequence[Injection],
        progress: Callable[[dict[str, Any]], None],
    ) -> list[Fault]:
        """Inject the faults and wait for the end; return those that were injected."""
        done: list[Fault] = []
        injecting = _injected(faults, done)
        next(injecting)
        try:
            while self._process.poll() is None and not came():
                if time.monotonic() > deadline:
                    self._over_limit = True
                    break
                numbers = self._numbers()
                if numbers:
                    progress(numbers)
                if numbers.get("ready"):
                    with contextlib.suppress(StopIteration):
                        injecting.send(numbers["ready"])
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_LOOK_S)
        finally:
            injecting.close()
        return done

    def _numbers(self) -> dict[str, Any]:
        try:
            numbers: dict[str, Any] = json.loads(self._job.progress.read_text())
        except FileNotFoundError:
            return {}
        return numbers

    def report(self) -> LoadReport:
        """Return the report of the run, or the reason why it cannot be trusted."""
        output = self._output.read_text(errors="replace")[-_OUTPUT_END:]
        code = self._process.returncode
        broken = ""
        if self._over_limit:
            broken = "Locust did not end in time and was ended from outside"
        try:
            text = read_sealed(self._job.report, self._nonce)
        except FileNotFoundError:
            lines = [line for line in output.splitlines() if line.strip()]
            last = f": {lines[-1].strip()}" if lines else ""
            broken = broken or f"Locust left with {code} and wrote no report{last}"
            return LoadReport(broken=broken, output=output)
        except NotThisRunError:
            broken = "the report was not written by this run: stale, torn or forged"
            return LoadReport(broken=broken, output=output)
        report = LoadReport.from_json(json.loads(text))
        if code < 0:
            broken = broken or f"Locust was killed by signal {-code}"
        return replace(report, broken=broken, output=output)


def _injected(
    faults: Sequence[Injection],
    done: list[Fault],
    clock: Callable[[], float] = time.time,
) -> Generator[None, float, None]:
    """Inject one fault after another; each time it is sent when all users were there.

    Closed before its end, it ends the fault that is under way.
    """
    ready = yield
    for fault in sorted(faults, key=lambda fault: fault.at_s):
        while clock() - ready < fault.at_s:
            ready = yield
        began = clock()
        error = ""
        try:
            error = _tried(fault.begin)
            while not error and clock() - began < fault.for_s:
                ready = yield
        finally:
            error = _tried(fault.end) or error
            now = clock()
            done.append(Fault(fault.name, began - ready, now - ready, error))


def _tried(work: Callable[[], object]) -> str:
    """Call an action; return why it failed, or an empty string."""
    try:
        work()
    except Exception as failure:
        return f"{type(failure).__name__}: {failure}"
    return ""
