"""Entries of `tests`: the ways to write a test, a file or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from .._inspect.texts import closest

_GLOB = frozenset("*?[")


def normal(entry: str, root: Path, to: Path | None = None) -> str:
    """Return an entry as pytest writes node ids: relative to a folder, with ``/``.

    ``./``, ``..``, a trailing ``/``, backslashes and absolute paths mean what they mean
    to a shell in the root. The part after ``::`` stays.

    Args:
        entry: What the configuration lists.
        root: The folder that the entry is relative to.
        to: The folder that the result is relative to; ``None`` is the root.
    """
    file, colons, rest = entry.partition("::")
    if "\\" in file and not (root / file).exists():
        file = file.replace("\\", "/")
    if Path(file).is_absolute():
        file = _relative(file, root)
    if to is not None and to != root:
        file = os.path.relpath(root / file, to)
    return Path(os.path.normpath(file)).as_posix() + colons + rest


def base(entries: Iterable[str], root: Path) -> Path:
    """Return the folder that node ids are relative to: the root, or one above it.

    pytest names a file outside its root by its last part, and two of them may have
    the same, so the root has to hold them all.
    """
    files = [root / entry.partition("::")[0] for entry in entries if outside(entry)]
    return Path(os.path.commonpath([root, *map(os.path.normpath, files)]))


def outside(entry: str) -> bool:
    """Return whether a normal entry is outside the root."""
    return entry.startswith("../")


def _relative(file: str, root: Path) -> str:
    """Return an absolute path relative to the root, behind links if need be."""
    textual = os.path.relpath(file, root)
    if textual.startswith(".."):
        resolved = os.path.relpath(Path(file).resolve(), root.resolve())
        return textual if resolved.startswith("..") else resolved
    return textual


def fits(test: str, entry: str) -> bool:
    """Return whether an entry names a test: itself, its holder, or a glob.

    Args:
        test: A node id.
        entry: An entry as `normal` writes it.
    """
    entry = entry.rstrip("/")
    if entry in (".", test):
        return True
    if test.startswith((f"{entry}/", f"{entry}::", f"{entry}[")):
        return True
    if _GLOB.isdisjoint(entry):
        return False
    globs = {entry, entry.replace("**/", ""), _with_plain_brackets(entry)}
    return any(
        fnmatchcase(part, glob) for part in {test, *_holders(test)} for glob in globs
    )


def _with_plain_brackets(entry: str) -> str:
    """Return the glob with the brackets of a parametrized test as they are."""
    file, colons, rest = entry.partition("::")
    return file + colons + rest.replace("[", "[[]")


def _holders(test: str) -> Iterator[str]:
    """Yield the holders of a test: parametrized function, classes, file, folders."""
    file, colons, rest = test.partition("::")
    if colons:
        function = rest.partition("[")[0]
        parts = function.split("::")
        for count in range(1, len(parts) + 1):
            yield f"{file}::{'::'.join(parts[:count])}"
    yield file
    while "/" in file:
        file = file.rpartition("/")[0]
        yield file


def near(entry: str, tests: Iterable[str]) -> str:
    """Return the test, file or folder that is written most like an entry."""
    known: dict[str, None] = {}
    for test in tests:
        known[test] = None
        known.update(dict.fromkeys(_holders(test)))
    return closest(entry, known)
