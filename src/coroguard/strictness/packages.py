"""Which packages are to be checked, and of which can that not be?"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pkgutil
import sys
from typing import TYPE_CHECKING

from .._leaks.errors import GuardUsageError, nearest
from .hook import checked_modules, extend, is_below
from .reports import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ROOT", "RUN", "check_names", "hold", "strict_packages"]

#: Set by ``coroguard run``: the process that runs the program itself.
RUN = "COROGUARD_RUN"
#: The folder that ``coroguard run`` was typed in, where the project's guards are
#: read from.
ROOT = "COROGUARD_ROOT"

_OURS = ("coroguard", "typeguard")
_MOST_NAMED = 5
_wanted: list[str] = []
_too_late: set[str] = set()


def strict_packages(*packages: str) -> None:
    """Check every annotated argument, return value and variable of packages.

    What is imported of them from now on is checked by typeguard. Where an
    awaitable is found in place of what an annotation says, itself or inside
    the value, it is a leak with the kind ``RETURNED`` or ``NESTED``; any other
    wrong value is typeguard's ``TypeCheckError``. The mode holds as for a
    guard: in ``off`` nothing is done, in ``observe`` leaks are reported only.

    A module that was imported before stays as it is, and is named in a
    ``RuntimeWarning``; so is, when the process ends, a package of which
    nothing was imported.

    Args:
        *packages: Names of packages or modules, such as ``app``.

    Raises:
        GuardUsageError: No name, one that is no name, or one that is not
            found; nothing is changed.
    """
    if not packages:
        raise GuardUsageError(
            "strict_packages() has no package; type strict_packages('app')"
        )
    hold(packages, lambda name: f"strict_packages({name!r})")


def hold(
    packages: Sequence[str], said: Callable[[str], str], *, find: bool = True
) -> None:
    """Check packages from now on.

    Args:
        packages: Their names.
        said: Tells who named a package, for messages.
        find: Refuse what is not found; not while ``sys.path`` is unfinished.

    Raises:
        GuardUsageError: As ``strict_packages`` says.
    """
    check_names(packages, said)
    for name in packages if find else ():
        _find(name, said(name))
    if not _wanted:
        atexit.register(_tell_at_exit, os.getpid())
    _wanted.extend(name for name in packages if name not in _wanted)
    extend(packages)
    for name in dict.fromkeys(packages):
        _tell_if_late(name, said(name))


def check_names(packages: Sequence[object], said: Callable[[str], str]) -> None:
    """Refuse what cannot be the name of a package.

    Raises:
        GuardUsageError: Not text, not a dotted name, or coroguard itself.
    """
    for name in packages:
        if not isinstance(name, str):
            raise GuardUsageError(
                f"strict_packages({name!r}): a package is given by its name, as text; "
                "type strict_packages('app', 'lib')"
            )
        if not all(part.isidentifier() for part in name.split(".")):
            raise GuardUsageError(
                f"{said(name)}: {name!r} is not the name of a package; "
                "type it as in 'import app' or 'import app.api'"
            )
        if name.partition(".")[0] in _OURS:
            raise GuardUsageError(
                f"{said(name)}: {name} cannot check itself; name a package of yours"
            )


def _find(name: str, said: str) -> None:
    """Refuse a package that is nowhere on the path, without importing it."""
    top = name.partition(".")[0]
    if top in sys.modules or importlib.util.find_spec(top) is not None:
        return
    hint = nearest(top, (module.name for module in pkgutil.iter_modules()))
    raise GuardUsageError(
        f"{said}: there is no package {top!r}; "
        f"type the name that the program imports it by.{hint}"
    )


def _tell_if_late(package: str, said: str) -> None:
    """Name what was imported without checks, once."""
    late = [
        module
        for module in sorted(sys.modules)
        if is_below(module, package)
        and module not in checked_modules()
        and module not in _too_late
        and _has_source(module)
    ]
    if not late:
        return
    _too_late.update(late)
    named = ", ".join(late[:_MOST_NAMED])
    if len(late) > _MOST_NAMED:
        named += f" and {len(late) - _MOST_NAMED} more"
    tell(
        package,
        f"{said} came after the import of {named}, which is not checked; call "
        f"strict_packages({package!r}) before the first import of it, or type "
        f"coroguard run --strict --package {package} -- PROGRAM",
    )


def _has_source(module: str) -> bool:
    """Say whether there is anything to check: not so in a namespace package."""
    return str(getattr(sys.modules[module], "__file__", "")).endswith(".py")


def _tell_at_exit(started: int) -> None:
    """Name each package of which nothing was checked, where the program ended well."""
    if hasattr(sys, "last_value") or not _is_whole_program(started):
        return
    for package in _wanted:
        known = [*checked_modules(), *_too_late]
        if not any(is_below(module, package) for module in known):
            tell(
                package,
                f"nothing of the strict package {package!r} was imported, so nothing "
                "of it was checked; type the name that the program imports it by",
            )


def _is_whole_program(started: int) -> bool:
    """Say whether this process is the program, and not a helper of it."""
    run = os.environ.get(RUN)
    if run:
        return run == str(os.getpid())
    children = sys.modules.get("multiprocessing.process")
    is_child = children is not None and children.parent_process() is not None
    return started == os.getpid() and not is_child
