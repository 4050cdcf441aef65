"""Locks as text, and the damage in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..._files import toml_string, write_whole
from ..._inspect.colours import Colour
from ..._leaks.errors import GuardUsageError
from .record import UNDECIDED, Lock

#: The command that writes a lock; the advice of each error begins with it.
COMMAND = "coroguard lock"
FORMAT = 1
_MARK = "# coroguard.lock:"
_HEADER = f"""\
{_MARK} the colour of each public function, and what each guard expects.
# Never edit it by hand: `coroguard lock` renews it, `coroguard lock --check` fails
# where the code differs from it.
format = {FORMAT}
"""
# Without it, a file that lost its end would lock less and look right.
_END = "# The end of coroguard.lock."
_CONFLICT = re.compile(r"(<<<<<<<|\|\|\|\|\|\|\||=======|>>>>>>>)( |$)")
_COLOURS = {*map(str, Colour), UNDECIDED}


class DamagedLockError(ValueError):
    """A lock was edited or merged and cannot be read; write it anew."""


def to_text(lock: Lock) -> str:
    """Write a lock as TOML: a line for each function, sorted by name."""
    return "\n".join([_HEADER + "packages = [", *_body(lock), "", _END, ""])


def from_text(text: str, name: str, command: str = COMMAND) -> Lock:
    """Read a lock.

    Args:
        text: What `to_text` wrote.
        name: The file's name, for messages.
        command: What to type to write it anew, without the packages.

    Raises:
        GuardUsageError: The text is another file's, or of a format to come.
        DamagedLockError: It is damaged, or has the marks of a merge conflict.
    """
    if _MARK not in text:
        raise GuardUsageError(
            f"{name} is not a lock of coroguard and was left as it is; "
            "move it away, or name another file with --file",
            code="CG215",
        )
    written = re.search(r"^format = (\d+)\s*$", text, re.M)
    if written and int(written[1]) > FORMAT:
        raise GuardUsageError(
            f"{name} was written by a newer coroguard (format {written[1]}, this one "
            f"reads {FORMAT}); run pip install --upgrade coroguard",
            code="CG215",
        )
    anew = f"write it anew: {command} {_packages_in(text)}"
    for number, line in enumerate(text.split("\n"), start=1):
        if _CONFLICT.match(line.rstrip("\r")):
            raise DamagedLockError(
                f"{name}:{number} has the mark of a merge conflict; {anew}"
            )
    try:
        return _lock(tomllib.loads(text), text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise DamagedLockError(f"{name} is damaged ({error}); {anew}") from None


def read_lock(file: Path, command: str = COMMAND) -> Lock:
    """Read a lock from its file.

    Raises:
        FileNotFoundError: The file does not exist.
        OSError: It cannot be read.
        GuardUsageError: It is another file, or of a format to come.
        DamagedLockError: It cannot be read.
    """
    text = file.read_bytes().decode("utf-8", "replace")
    return from_text(text, file.name, command)


def write_lock(file: Path, lock: Lock) -> None:
    """Write a lock at once: a reader finds the old one or the new one, no half.

    Raises:
        OSError: It could not be written; the old one is unchanged.
    """
    write_whole(file, to_text(lock))


def _body(lock: Lock) -> Iterator[str]:
    for package in lock.packages:
        yield f"    {toml_string(package)},"
    yield "]"
    if lock.libraries:
        yield f"libraries = [{', '.join(map(toml_string, lock.libraries))}]"
    yield from _section("colours", lock.colours)
    yield from _section("contracts", lock.contracts)
    for name in sorted(lock.schemas):
        yield from _section(f"schemas.{toml_string(name)}", lock.schemas[name])


def _section(title: str, entries: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"[{title}]")
    for name in sorted(entries):
        yield f"{toml_string(name)} = {toml_string(entries[name])}"


def _lock(found: Mapping[str, Any], text: str) -> Lock:
    """Return the lock in a parsed text; raise `ValueError` where it is damaged."""
    lines = text.rstrip().split("\n")
    if lines[-1].strip() != _END:
        raise ValueError("its end is missing")
    if found.get("format") != FORMAT:
        raise ValueError(f"it lacks format = {FORMAT}")
    packages, libraries = _names(found, "packages"), _names(found, "libraries")
    if not packages:
        raise ValueError("packages are not a list of names")
    colours = _entries(found, "colours")
    for name, colour in colours.items():
        if colour not in _COLOURS:
            raise ValueError(f"{colour!r}, the colour of {name}, does not exist")
    schemas: Any = found.get("schemas", {})
    if not _is_a(dict, schemas):
        raise ValueError("schemas are not a table")
    return Lock(
        packages=packages,
        libraries=libraries,
        colours=colours,
        contracts=_entries(found, "contracts"),
        schemas={name: _entries(schemas, name) for name in schemas},
    )


def _names(found: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names: Any = found.get(key, [])
    if not _is_a(list, names) or not _are_texts(names):
        raise ValueError(f"{key} are not a list of names")
    return tuple(names)


def _entries(found: Mapping[str, Any], section: str) -> dict[str, str]:
    entries: Any = found.get(section)
    if not _is_a(dict, entries) or not _are_texts(entries.values()):
        raise ValueError(f"[{section}] is missing, or holds more than texts")
    found_texts: dict[str, str] = entries
    return found_texts


def _is_a(kind: type, value: object) -> bool:
    return isinstance(value, kind)


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _packages_in(text: str) -> str:
    """Return the packages that even a damaged text still names."""
    listed = re.search(r"^packages = \[(.*?)^\]", text, re.M | re.S)
    names = re.findall(r'^    "([^"]+)",', listed[1], re.M) if listed else []
    return " ".join(sorted(set(names))) or "PACKAGE"
