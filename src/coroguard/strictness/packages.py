"""The packages to check, and which of them cannot be."""

from __future__ import annotations

import atexit
import importlib.util
import os
import pkgutil
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from .._guard.judge import act
from .._inspect.attributes import file_of
from .._inspect.texts import nearest
from .._leaks.errors import CoroguardError, GuardUsageError
from .._runtime.modes import Mode, current
from .._runtime.status import more_hooks
from .hook import checked_modules, extend, is_below, unchecked_modules
from .refusal import raise_types

usage_error = partial(GuardUsageError, code="CG221")
PACKAGES = "COROGUARD_PACKAGES"
#: Set to ``1``, any wrong type in a strict package raises.
TYPES = "COROGUARD_TYPES"
#: Set by ``coroguard run``: the process that runs the program itself.
RUN = "COROGUARD_RUN"
#: The folder of ``coroguard run``, where the project's guards are read from.
ROOT = "COROGUARD_ROOT"

_OURS = ("coroguard", "typeguard")
_MOST_NAMED = 5
_wanted: list[str] = []
_too_late: set[str] = set()


def strict_packages(*packages: str, types: bool = False) -> None:
    """Check every annotated argument, return value and variable of packages.

    What is imported of them from now on is checked by typeguard. Where an
    awaitable is found in the place of an annotated value, itself or inside
    the value, it is a leak with the kind ``RETURNED`` or ``NESTED``. Any other
    wrong value is an event, once for each place. The mode holds as for a guard:
    in ``off`` nothing is done, in ``observe`` leaks are reported only.

    A module that was imported before stays as it is, and is named in an event;
    so is, when the process ends, a package of which nothing was checked.

    Args:
        *packages: Names of packages or modules, such as ``app``.
        types: Raise typeguard's ``TypeCheckError`` for any other wrong value,
            in every strict package of the process.

    Raises:
        GuardUsageError: No name, one that is not a name, or one that is not
            found; nothing is changed.
    """
    if not packages:
        raise usage_error(
            "strict_packages() has no package; write strict_packages('app')"
        )
    hold(packages, lambda name: f"strict_packages({name!r})")
    if types:
        raise_types()


def activate() -> None:
    """Check the packages that ``COROGUARD_PACKAGES`` names, in strict mode only.

    Raises:
        GuardUsageError: An entry is not a name, or is not found.
    """
    names = names_in([os.environ.get(PACKAGES, "")])
    if names and current() is Mode.STRICT:
        # A run begins before the program has put its own folder on the path; what
        # never comes is reported when it ends.
        is_run = bool(os.environ.get(RUN))
        hold(names, lambda name: f"{PACKAGES}={name!r}", find=not is_run)
        if os.environ.get(TYPES) == "1":
            raise_types()
        os.environ.setdefault(RUN, str(os.getpid()))  # for the children


def names_in(texts: Iterable[str]) -> list[str]:
    """Return the names, each once, between commas and blanks."""
    return list(dict.fromkeys(" ".join(texts).replace(",", " ").split()))


def hold(
    packages: Sequence[str], source: Callable[[str], str], *, find: bool = True
) -> None:
    """Check packages from now on.

    Args:
        packages: Their names.
        source: Returns who named a package, for messages.
        find: Refuse what is not found; not while ``sys.path`` is unfinished.

    Raises:
        GuardUsageError: As for ``strict_packages``.
    """
    check_names(packages, source)
    for name in packages if find else ():
        _find(name, source(name))
    if not _wanted:
        atexit.register(_report_at_exit, os.getpid())
        more_hooks.append(lambda: [f"strict packages ({', '.join(_wanted)})"])
    _wanted.extend(name for name in packages if name not in _wanted)
    extend(packages)
    for name in dict.fromkeys(packages):
        _report_if_late(name, source(name))


def check_names(packages: Sequence[object], source: Callable[[str], str]) -> None:
    """Raise if a text cannot be the name of a package.

    Raises:
        GuardUsageError: Not a string, not a dotted name, or coroguard itself.
    """
    for name in packages:
        if not isinstance(name, str):
            raise usage_error(
                f"strict_packages({name!r}): a package is given by its name, a string; "
                "write strict_packages('app', 'lib')"
            )
        if not all(part.isidentifier() for part in name.split(".")):
            raise usage_error(
                f"{source(name)}: {name!r} is not the name of a package; "
                "write it as in 'import app' or 'import app.api'"
            )
        if name.partition(".")[0] in _OURS:
            raise usage_error(
                f"{source(name)}: {name} cannot check itself; name a package of yours"
            )


def _find(name: str, source: str) -> None:
    """Refuse a package that is nowhere on the path, without importing it."""
    top = name.partition(".")[0]
    if top in sys.modules or importlib.util.find_spec(top) is not None:
        return
    hint = nearest(top, (module.name for module in pkgutil.iter_modules()))
    raise usage_error(
        f"{source}: there is no package {top!r}; "
        f"write the name that the program imports it by.{hint}"
    )


def _report(package: str, text: str) -> None:
    """Emit an event; a warning could be an error that stops the program."""
    act(current(), package, [CoroguardError(text)], raises=False)


def _report_if_late(package: str, source: str) -> None:
    """Report once the modules that were imported without checks."""
    late = [
        module
        for module in sorted(sys.modules)
        if is_below(module, package)
        and module not in checked_modules()
        and module not in unchecked_modules()
        and module not in _too_late
        and _has_source(module)
    ]
    if not late:
        return
    _too_late.update(late)
    named = ", ".join(late[:_MOST_NAMED])
    if len(late) > _MOST_NAMED:
        named += f" and {len(late) - _MOST_NAMED} more"
    _report(
        package,
        f"{source} came after the import of {named}, which is not checked; call "
        f"strict_packages({package!r}) before the first import of it, or run "
        f"coroguard run --strict --package {package} -- PROGRAM",
    )


def _has_source(module: str) -> bool:
    """Return whether there is source to check; a namespace package has none."""
    found = file_of(sys.modules[module])
    return found.endswith(".py") and os.path.isfile(found)


def _report_at_exit(started: int) -> None:
    """Name each package of which nothing was checked, where the program ended well."""
    if hasattr(sys, "last_value") or not _is_whole_program(started):
        return
    for package in _wanted:
        known = [*checked_modules(), *_too_late]
        if any(is_below(module, package) for module in known):
            continue
        reasons = [
            why
            for module, why in unchecked_modules().items()
            if is_below(module, package)
        ]
        if reasons:
            _report(
                package,
                f"nothing of the strict package {package!r} was checked: {reasons[0]}; "
                "only modules that Python reads from .py files can be",
            )
        elif not _had_children():
            _report(
                package,
                f"nothing of the strict package {package!r} was imported, so nothing "
                "of it was checked; write the name that the program imports it by",
            )


def _had_children() -> bool:
    """Return whether this process has waited for a child, which may have checked."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


def _is_whole_program(started: int) -> bool:
    """Return whether this process is the program, and not a helper of it."""
    run = os.environ.get(RUN)
    if run:
        return run == str(os.getpid())
    children = sys.modules.get("multiprocessing.process")
    is_child = children is not None and children.parent_process() is not None
    return started == os.getpid() and not is_child
