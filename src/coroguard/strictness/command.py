"""What happens when `coroguard run` is typed?"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from .._leaks.errors import GuardUsageError
from .environment import names_in
from .launch import command_line, environment_of, unseen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]

_USAGE = 2
#: What Python ignores for itself, and a program that it starts would inherit.
_IGNORED = ("SIGPIPE", "SIGXFSZ")


def run(
    *,
    strict: bool = False,
    mode: str | None = None,
    packages: Sequence[str] = (),
    program: Sequence[str] = (),
    before_dashes: Sequence[str] = (),
) -> int:
    """Become the program, guarded; its exit code and signals are its own.

    Args:
        strict: Short for the mode ``strict``.
        mode: The mode; ``None`` leaves it to the environment.
        packages: Strict packages.
        program: What stood after ``--``.
        before_dashes: What stood before it and is no option.

    Returns:
        2, if there is nothing to run; else it does not return.
    """
    try:
        if before_dashes:
            raise GuardUsageError(
                "-- has to stand before the program; "
                f"type coroguard run ... -- {' '.join([*before_dashes, *program])}"
            )
        if strict and mode not in (None, "strict"):
            raise GuardUsageError(f"type either --strict or --mode {mode}, not both")
        mode = "strict" if strict else mode
        environ = environment_of(os.environ, mode, packages, os.getpid())
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
