"""The work of `coroguard run`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from .._leaks.errors import GuardUsageError
from .launch import command_line, environment_of, unseen
from .packages import names_in, usage_error

_USAGE = 2
#: Signals that Python ignores for itself, and that its children would ignore too.
_IGNORED = ("SIGPIPE", "SIGXFSZ")


def run(
    *,
    strict: bool = False,
    mode: str | None = None,
    packages: Sequence[str] = (),
    types: bool = False,
    program: Sequence[str] = (),
    before_dashes: Sequence[str] = (),
) -> int:
    """Become the program, guarded; its exit code and signals are its own.

    Args:
        strict: Short for the mode ``strict``.
        mode: The mode; ``None`` leaves it to the environment.
        packages: Strict packages.
        types: Whether any wrong type in them raises.
        program: The arguments after ``--``.
        before_dashes: The arguments before it that are not options.

    Returns:
        2, if there is nothing to run; else it does not return.
    """
    try:
        if before_dashes:
            raise usage_error(
                "-- has to be before the program; "
                f"run coroguard run ... -- {' '.join([*before_dashes, *program])}"
            )
        if strict and mode not in (None, "strict"):
            raise usage_error(f"pass either --strict or --mode {mode}, not both")
        mode = "strict" if strict else mode
        environ = environment_of(os.environ, mode, packages, os.getpid(), types=types)
        command = command_line(program, os.environ.get("PATH"))
        for hint in unseen(names_in(packages), program):
            sys.stderr.write(f"coroguard: {hint}\n")
        _become(command, environ)
    except (GuardUsageError, OSError) as error:
        sys.stderr.write(f"coroguard: {error}\n")
    return _USAGE


def _become(command: list[str], environ: dict[str, str]) -> None:
    sys.stdout.flush()
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(command[0], command, environ)
