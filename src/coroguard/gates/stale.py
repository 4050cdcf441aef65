"""Files of the readiness that an earlier run left."""

# Only the standard library: the command line imports this where an option is wrong.

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from coroguard._files import is_device

EXPORTS = ("--json", "--junit", "--markdown")
# Files that a readiness never overwrites: configuration, locks, source.
_SUFFIXES = (".cfg", ".ini", ".lock", ".py", ".toml")


def is_source(file: Path) -> bool:
    """Return whether a file is configuration or source, behind links too."""
    return any(each.suffix in _SUFFIXES for each in (file, file.resolve()))


def remove(files: Iterable[Path]) -> None:
    """Remove files of an earlier run; no device, no configuration, no source.

    Raises:
        OSError: One of them cannot be removed.
    """
    for file in files:
        if file.is_file() and not is_device(file) and not is_source(file):
            file.unlink()


def remove_named(arguments: Sequence[str]) -> None:
    """Remove the files that the arguments of a wrong command line name."""
    # The command fails anyhow; what it prints is about the wrong option.
    with contextlib.suppress(OSError):
        remove(_named(arguments))


def _named(arguments: Sequence[str]) -> Iterator[Path]:
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        option, equals, value = argument.partition("=")
        if option in EXPORTS and (value or following):
            yield Path(value if equals else following)
