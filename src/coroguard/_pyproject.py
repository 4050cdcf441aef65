"""The table `[tool.coroguard]` of a project."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


class UnreadableProjectError(ValueError):
    """A ``pyproject.toml`` that cannot be read; the text names the file."""


def find_root(start: Path) -> Path:
    """Return the nearest folder upwards with a ``pyproject.toml``, or the start."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return here


def read_table(file: Path) -> dict[str, Any]:
    """Return the table ``[tool.coroguard]`` of a file; empty where it has none.

    Raises:
        UnreadableProjectError: The file cannot be read.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableProjectError(f"{file} cannot be read: {error}") from None
    tool = document.get("tool", {})
    table = tool.get("coroguard", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UnreadableProjectError(f"{file}: tool.coroguard is not a table")
    return table


def project_table(start: Path | None = None) -> tuple[Path, dict[str, Any]]:
    """Return the ``pyproject.toml`` of the project at a folder, and our table in it.

    Args:
        start: A folder of the project; ``None`` is the current one.

    Raises:
        UnreadableProjectError: The file cannot be read.
    """
    file = find_root(start or Path.cwd()) / "pyproject.toml"
    return file, read_table(file) if file.is_file() else {}
