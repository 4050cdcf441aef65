"""The work of `coroguard audit` and `coroguard lock`."""

from __future__ import annotations

import contextlib
import enum
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError
from .._pyproject import find_root
from .._runtime.modes import started_off
from .audit import audit as audit_package
from .baseline import is_accepted, read_baseline, write_baseline
from .formats import FORMATS, as_github, as_json, as_sarif
from .lock.drift import drift_of
from .lock.lockfile import (
    COMMAND,
    DamagedLockError,
    from_text,
    read_lock,
    to_text,
    write_lock,
)
from .lock.record import lock_of
from .modules import load_package
from .rules import explain_rule, usage_error
from .settings import excluded

if TYPE_CHECKING:
    import io

    from .lock.drift import Drift
    from .lock.record import Lock
    from .modules import Loaded

_FILE = "coroguard.lock"
_MOST_NOTES = 20


class _Code(enum.IntEnum):
    """Exit codes; `docs/reference/exit-codes.md` lists them."""

    CLEAN = 0
    FOUND = 1
    USAGE = 2
    INCOMPLETE = 4


def audit(
    *,
    packages: Sequence[str],
    format: str = "text",  # noqa: A002 - the option's name
    baseline: Path | None = None,
    update: bool = False,
) -> int:
    """Audit packages and print the findings.

    Args:
        packages: Their names, as they are imported.
        format: ``text``, ``json``, ``sarif`` or ``github``.
        baseline: The file of accepted findings, which are not reported.
        update: Write the findings to the baseline instead of reporting them.

    Returns:
        0 where nothing was found and every module was read, 1 for collisions,
        2 where there is no such package, format or baseline, 4 where modules
        could not be imported and nothing was found in the others.
    """
    _prepare(Path.cwd())
    try:
        if format not in FORMATS:
            hint = nearest(format, FORMATS)
            known = ", ".join(FORMATS)
            raise usage_error(f"--format {format} is not one of {known}.{hint}")
        if update and baseline is None:
            raise usage_error("--write-baseline needs --baseline FILE")
        accepted = read_baseline(baseline) if baseline and not update else frozenset()
        exclude = excluded()
        audits = [audit_package(it, exclude) for it in dict.fromkeys(packages)]
        found = [finding for it in audits for finding in it.findings]
        if baseline is not None and update:
            count = write_baseline(baseline, found)
            _print(f"{baseline}: {_count(count, 'finding')} accepted")
            return _Code.CLEAN
    except (GuardUsageError, OSError) as error:
        return _refuse(error)
    findings = [it for it in found if not is_accepted(it, accepted)]
    failed = {name: why for it in audits for name, why in it.failed}
    modules = sum(it.modules for it in audits)
    if format == "json":
        _print(as_json(findings, failed=failed, modules=modules))
    elif format == "sarif":
        _print(as_sarif(findings))
    else:
        for line in as_github(findings) if format == "github" else ():
            _print(line)
        for finding in findings if format == "text" else ():
            _print(f"{finding}\n")
        _print_failed(failed)
        left_out = sum(len(it.left_out) for it in audits)
        aside = f", {left_out} left out" if left_out else ""
        if len(found) > len(findings):
            aside += f", {len(found) - len(findings)} accepted"
        read = _count(modules, "module")
        _print(f"{read} read{aside}, {_count(len(findings), 'collision')}")
    return _code(found=bool(findings), failed=bool(failed))


def explain(*, rule: str) -> int:
    """Print the meaning of a rule of the audit; return 2 if there is no such rule."""
    try:
        _print(explain_rule(rule))
    except GuardUsageError as error:
        return _refuse(error)
    return _Code.CLEAN


def lock(
    *,
    packages: Sequence[str] | None = None,
    libraries: Sequence[str] | None = None,
    check: bool = False,
    file: Path | None = None,
) -> int:
    """Write the lock of packages, or compare them with it.

    Args:
        packages: Their names, as they are imported; those of the lock
            where no name is given.
        libraries: Packages of others to lock as far as these use them; those of
            the lock where no name is given.
        check: Write nothing, and print what has changed.
        file: The lock; by default ``coroguard.lock`` beside the nearest
            ``pyproject.toml``, or here without one.

    Returns:
        0 where it was written, or where nothing has changed; 1 for changes,
        2 for wrong arguments or a file that is not a lock, 4 where modules could
        not be imported and no change was found in the others.
    """
    root = find_root(Path.cwd())
    command = COMMAND if file is None else f"{COMMAND} --file {file}"
    path = file or root / _FILE
    _prepare(Path.cwd(), root)
    try:
        if started_off():
            raise usage_error(
                "COROGUARD_MODE=off takes every guard away, so that none can be "
                f"locked; run COROGUARD_MODE=enforce {COMMAND}"
            )
        work = _check if check else _write
        named = [*dict.fromkeys(packages or ())]
        return work(path, named, [*(libraries or ())], command)
    except (GuardUsageError, DamagedLockError, OSError) as error:
        return _refuse(error)


def _write(file: Path, packages: list[str], libraries: list[str], command: str) -> int:
    old, is_damaged = _read_old(file, command, named=packages)
    names = packages or [*(old.packages if old else ())]
    beside = libraries or [*(old.libraries if old and not packages else ())]
    if not names:
        raise usage_error(
            f"there is no {file.name} that names the packages; "
            f"run {command} PACKAGE, the name that one imports"
        )
    exclude = excluded()
    loaded = [load_package(name, exclude) for name in names]
    failed = _failed(loaded)
    if failed:
        _print_failed(failed)
        _print(f"{file.name} was not written: what these modules hold is not known")
        return _Code.INCOMPLETE
    # An optional part of a library that is not installed is nobody's fault.
    theirs = [load_package(name) for name in beside]
    # As it will be read: what cannot be written as text changes nothing then.
    new = from_text(to_text(lock_of(loaded, theirs)), file.name, command)
    if new != old:
        write_lock(file, new)
    before = {*old.packages} if old else set[str]()
    left_out = " ".join(sorted(before - {*new.packages}))
    if left_out:
        every = " ".join(sorted(before | {*new.packages}))
        _print(f"no longer locked: {left_out}; to lock all, run {command} {every}")
    changed = "written anew" if is_damaged or old is None else _changed(old, new)
    _print(f"{file.name}: {_size(new)}; {changed}")
    return _Code.CLEAN


def _read_old(file: Path, command: str, named: list[str]) -> tuple[Lock | None, bool]:
    """Return the lock that is replaced, and whether it could not be read.

    One that is damaged may be replaced where the packages are named; another
    program's file, or a newer coroguard's, never.
    """
    try:
        return read_lock(file, command), False
    except FileNotFoundError:
        return None, False
    except DamagedLockError:
        if not named:
            raise
        return None, True


def _check(file: Path, packages: list[str], libraries: list[str], command: str) -> int:
    try:
        locked = read_lock(file, command)
    except FileNotFoundError:
        names = " ".join(packages) or "PACKAGE"
        raise usage_error(
            f"there is no {file}; run {command} {names} to write it"
        ) from None
    for name in packages:
        if name not in locked.packages:
            known = " ".join(locked.packages)
            raise usage_error(
                f"{name} is not in {file.name}; run {command} {known} {name}"
            )
    asked, exclude = [*packages] or [*locked.packages], excluded()
    loaded = [load_package(name, exclude) for name in asked]
    theirs = [load_package(name) for name in libraries or locked.libraries]
    drift, failed = drift_of(locked, loaded, theirs), _failed(loaded)
    _print_drift(drift, command)
    _print_failed(failed)
    counted = f"{len(drift.changes) or 'nothing'} changed"
    _print(f"{file.name}: {_size(locked)}; {counted}")
    return _code(found=bool(drift.changes), failed=bool(failed))


def _changed(old: Lock, new: Lock) -> str:
    """Count the functions and contracts that have changed."""
    changed = len(
        {name for name, _ in old.colours.items() ^ new.colours.items()}
        | {name for name, _ in old.contracts.items() ^ new.contracts.items()}
        | {
            name
            for name in old.schemas.keys() & new.schemas.keys()
            if old.schemas[name] != new.schemas[name]
        }
    )
    return f"{changed or 'nothing'} changed"


def _print_drift(drift: Drift, command: str) -> None:
    for change in drift.changes:
        _print(f"{change.text(command)}\n")
    for note in drift.notes[:_MOST_NOTES]:
        _print(note)
    more = len(drift.notes) - _MOST_NOTES
    if more > 0:
        _print(f"and {more} more")
    if drift.notes and not drift.changes:
        _print(f"to take these into the lock, run {command}")


def _failed(loaded: Iterable[Loaded]) -> dict[str, str]:
    return {name: why for it in loaded for name, why in it.failed.items()}


def _print_failed(failed: dict[str, str]) -> None:
    for name, why in failed.items():
        _print(f"could not import {name}: {why}")


def _size(lock: Lock) -> str:
    contracts = len({*lock.contracts.values()})
    functions = _count(len(lock.colours), "function")
    return f"{functions}, {_count(contracts, 'contract')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _code(*, found: bool, failed: bool) -> int:
    if found:
        return _Code.FOUND
    return _Code.INCOMPLETE if failed else _Code.CLEAN


def _prepare(*folders: Path) -> None:
    """Look for packages where ``python -m`` does, and be able to write any name."""
    wanted = list(dict.fromkeys(map(str, folders)))
    sys.path[:0] = [it for it in wanted if it != sys.path[0]]
    with contextlib.suppress(AttributeError):
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _refuse(why: Exception) -> int:
    sys.stderr.write(f"coroguard: {why}\n")
    return _Code.USAGE
