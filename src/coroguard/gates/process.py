"""Runs of pytest that nothing outlives."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .job import JOB, NONCE_FD, Job
from .signals import came, held

# As a file: pytest complains about a plugin whose package is imported already.
_PYTEST = ("-P", str(Path(__file__).with_name("start.py")))
_RECORDER = ("-p", "coroguard.gates.recorder")
_GRACE_S = 3.0
_LOOK_S = 0.2  # how often a signal is looked for
_STACKS_S = 2.0
_ROUNDS = 20
_OUTPUT_END = 4000


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a process.

    Args:
        exit_code: What it left with; negative for a signal.
        over_limit: Whether it was ended from outside because it took too long.
        nonce: What the seal of a report of this run was made with.
        stacks: What each thread was doing when the limit was over.
        output: The end of what it printed.
    """

    exit_code: int
    over_limit: bool
    nonce: bytes
    stacks: str
    output: str
    duration_s: float


def run_pytest(
    arguments: Sequence[str],
    job: Job,
    *,
    root: Path,
    rootdir: Path,
    environment: Mapping[str, str],
    limit_s: float,
    python: str = sys.executable,
) -> Ended:
    """Run pytest in a session of its own, and end it and its children in time.

    A signal meanwhile ends the run, and the command when nothing is left of it.
    """
    job.save()
    with held():
        return _run(
            [python, *_PYTEST, *_RECORDER, f"--rootdir={rootdir}", *arguments],
            job,
            root=root,
            environment=environment,
            limit_s=limit_s,
        )


def _run(
    command: Sequence[str],
    job: Job,
    *,
    root: Path,
    environment: Mapping[str, str],
    limit_s: float,
) -> Ended:
    nonce = secrets.token_bytes(32)
    started = time.monotonic()
    printed = Path(job.folder, "output.txt")
    with pipe_holding(nonce) as pipe, printed.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**environment, JOB: str(job.file), NONCE_FD: str(pipe)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(pipe,),
            start_new_session=True,
        )
    over_limit, stacks = False, ""
    try:
        over_limit = not _ends_by_itself(process, started + limit_s)
        if over_limit and not came():
            stacks = _stacks(process.pid, job)
    finally:
        _end(process, job)
    return Ended(
        exit_code=process.returncode,
        over_limit=over_limit,
        nonce=nonce,
        stacks=stacks,
        output=_last_lines(printed),
        duration_s=time.monotonic() - started,
    )


def _ends_by_itself(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait for the end; return whether it came before the limit or a signal did."""
    while not came():
        left_s = deadline - time.monotonic()
        try:
            process.wait(max(0.0, min(left_s, _LOOK_S)))
        except subprocess.TimeoutExpired:
            if left_s <= _LOOK_S:
                return False
        else:
            return True
    return False


def _last_lines(file: Path) -> str:
    """Return the end of the output, without a line that is cut in half."""
    text = file.read_bytes()[-4 * _OUTPUT_END :].decode("utf-8", "replace")
    if len(text) <= _OUTPUT_END:
        return text
    return text[-_OUTPUT_END:].partition("\n")[2]


@contextlib.contextmanager
def pipe_holding(content: bytes) -> Generator[int, None, None]:
    """Open a pipe that can be read once, to the end."""
    reading, writing = os.pipe()
    try:
        os.write(writing, content)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _stacks(leader: int, job: Job) -> str:
    """Ask the run and its workers what each of their threads is doing."""
    alive = {leader, *_started_by(job)}
    files = {
        int(file.stem.rpartition("-")[2]): file
        for file in Path(job.folder).glob("stacks-*.txt")
    }
    asked = [file for pid, file in files.items() if pid in alive]
    for pid in files.keys() & alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + _STACKS_S
    while time.monotonic() < deadline and not all(map(_is_whole, asked)):
        time.sleep(0.02)
    return "\n".join(file.read_text(errors="replace").strip() for file in asked)


def _is_whole(stacks: Path) -> bool:
    """Return whether the main thread, which comes last, is there to its last frame."""
    return stacks.read_text(errors="replace").endswith(("<module>\n", "  ...\n"))


def _end(process: subprocess.Popen[bytes], job: Job) -> None:
    """Leave neither the process nor anything that it started."""
    if process.poll() is None:
        # Fixtures first get the chance to stop what they started.
        _signal(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for _ in range(_ROUNDS):
        # One that starts others while it is looked for is found in the next round.
        left = _started_by(job)
        if not left:
            break
        for pid in left:
            _signal(pid, signal.SIGKILL)
    process.wait()


def _started_by(job: Job) -> list[int]:
    """Find the processes with the run's name in their environment (Linux)."""
    name = f"{JOB}={job.file}".encode()
    found: list[int] = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if name in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
