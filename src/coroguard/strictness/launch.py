"""The environment and the command line of a guarded program."""

from __future__ import annotations

import os
import pkgutil
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import PathFinder

from .._files import SITE
from .._inspect.texts import nearest
from .._runtime.modes import VARIABLE, Mode, parse
from .packages import PACKAGES, ROOT, RUN, TYPES, check_names, names_in, usage_error


def environment_of(
    environ: Mapping[str, str],
    mode: str | None,
    packages: Sequence[str],
    pid: int,
    *,
    types: bool = False,
) -> dict[str, str]:
    """Return the environment of a guarded program.

    Args:
        environ: The environment of this process.
        mode: The mode; `None` leaves it to the environment.
        packages: Strict packages, added to those of the environment.
        pid: The process that the program will be.
        types: Whether any wrong type in a strict package raises.

    Raises:
        GuardUsageError: No such mode, no such name, packages in a mode that does
            not check them, or types without packages.
    """
    made = dict(environ)
    held = parse(
        mode or made.get(VARIABLE) or Mode.ENFORCE, "--mode" if mode else VARIABLE
    )
    check_names(names_in(packages), lambda name: f"--package {name}")
    if packages and held is not Mode.STRICT:
        raise usage_error(
            f"--package is for strict mode, and the mode is {held}; "
            f"run coroguard run --strict --package {packages[0]} -- PROGRAM"
        )
    if mode:
        made[VARIABLE] = held.value
    names = names_in([made.get(PACKAGES, ""), *packages])
    if names:
        made[PACKAGES] = ",".join(names)
    if types and not names:
        raise usage_error(
            "--types is for strict packages, and none is named; "
            "run coroguard run --strict --types --package app -- PROGRAM"
        )
    if types:
        made[TYPES] = "1"
    path = made.get("PYTHONPATH", "")
    rest = [folder for folder in path.split(os.pathsep) if folder != SITE]
    made["PYTHONPATH"] = os.pathsep.join([SITE, *(rest if path else [])])
    made[RUN] = str(pid)
    made[ROOT] = os.getcwd()  # a child that works elsewhere is of this project, too
    return made


def command_line(program: Sequence[str], path: str | None) -> list[str]:
    """Return the program's command line, the file to execute first.

    Args:
        program: The arguments after ``--``: a console script, a ``.py`` file, or
            options of Python such as ``-m app``.
        path: Where console scripts are looked for, after the folder of the
            interpreter, whose scripts can import coroguard.

    Raises:
        GuardUsageError: There is no program, or it is not found.
    """
    if not program:
        raise usage_error(
            "there is no program; run coroguard run --strict --package app -- "
            "uvicorn app.main:app"
        )
    first = program[0]
    if first.startswith("-") or (first.endswith(".py") and os.path.isfile(first)):
        return [sys.executable, *program]
    folders = os.pathsep.join([os.path.dirname(sys.executable), path or os.defpath])
    found = shutil.which(first, path=folders)
    if found is None:
        raise usage_error(
            f"there is no program {first!r}; name a command that is installed, "
            "a .py file, or -m and a module"
        )
    return [found, *program[1:]]


def unseen(packages: Iterable[str], program: Sequence[str]) -> list[str]:
    """Return a hint for each package that is not found from here.

    Only a hint: the program may put a folder of its own on ``sys.path``.
    """
    scripts = [os.path.dirname(part) for part in program if part.endswith(".py")]
    folders = [os.path.abspath(folder) for folder in ("", *scripts, *sys.path)]
    tops = {name.partition(".")[0] for name in packages}
    known = [module.name for module in pkgutil.iter_modules(folders)]
    known += [entry.name for entry in os.scandir() if entry.is_dir()]
    return [
        f"there is no package {top!r} here; unless the program knows where it is, "
        f"nothing of it is checked.{nearest(top, known)}"
        for top in sorted(tops)
        if PathFinder.find_spec(top, folders) is None
    ]
