"""Which guards does a project's pyproject.toml ask for?"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from .._leaks.errors import GuardUsageError, nearest
from .protection import protect

__all__ = ["excluded", "find_root", "protect_configured", "read_table"]

# What an entry may hold where it is a table.
_TERMS = ("path", "returns", "mode", "dropped")
# Typed Any: what they hold is looked at piece by piece.
_list: Any = list
_dict: Any = dict
_FIX = 'type protect = ["app.health:check"]'
_FIX_TABLE = 'type { path = "app.auth:is_allowed", returns = "any", mode = "enforce" }'


def protect_configured(root: Path | None = None) -> tuple[str, ...]:
    """Protect what ``[tool.coroguard] protect`` names.

    An entry is a path, or a table of a path and the terms of its guard, where
    ``returns`` is ``"report"`` or ``"any"``.

    Args:
        root: A folder of the project; ``None`` is the current one.

    Returns:
        The paths; nothing where the project configures none.

    Raises:
        GuardUsageError: The file cannot be read, or an entry is wrong; then
            nothing is protected.
    """
    file, table = _project(root)
    entries: Any = table.get("protect", [])
    where = f"{file}: tool.coroguard.protect"
    if not isinstance(entries, _list):
        raise GuardUsageError(f"{where} = {entries!r} is no list; {_FIX}.")
    asked = [_asked(entry, f"{where}[{index}]") for index, entry in enumerate(entries)]
    for path, terms in asked:
        protect(path, **terms)
    return tuple(path for path, _ in asked)


def excluded(root: Path | None = None) -> tuple[str, ...]:
    """Return the modules that ``[tool.coroguard] exclude`` keeps from being read.

    Args:
        root: A folder of the project; ``None`` is the current one.

    Raises:
        GuardUsageError: The file cannot be read, or the key is no list of text.
    """
    file, table = _project(root)
    patterns: Any = table.get("exclude", [])
    if not isinstance(patterns, _list) or not all(type(it) is str for it in patterns):
        raise GuardUsageError(
            f"{file}: tool.coroguard.exclude = {patterns!r} is no list of text; "
            'type exclude = ["app.migrations"].'
        )
    return tuple(patterns)


def find_root(start: Path) -> Path:
    """Return the nearest folder upwards that holds a `pyproject.toml`, or the start."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return here


def read_table(file: Path) -> dict[str, Any]:
    """Return the table ``[tool.coroguard]`` of a file; empty where it has none.

    Raises:
        GuardUsageError: The file cannot be read.
    """
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text()).get("tool", {})
    except (OSError, ValueError) as error:
        raise GuardUsageError(f"{file} cannot be read: {error}") from None
    found: dict[str, Any] = table.get("coroguard", {})
    return found


def _project(root: Path | None) -> tuple[Path, dict[str, Any]]:
    """Return the file of the project that a folder belongs to, and our table in it."""
    file = find_root(root or Path.cwd()) / "pyproject.toml"
    return file, read_table(file) if file.is_file() else {}


def _asked(entry: Any, where: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the terms of an entry."""
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, _dict) or not isinstance(entry.get("path"), str):
        raise GuardUsageError(f"{where} = {entry!r} names no path; {_FIX_TABLE}.")
    terms: dict[str, Any] = {**entry}
    for name in terms:
        if name not in _TERMS:
            raise GuardUsageError(
                f"{where} has no key {name!r}; it has {', '.join(_TERMS)}."
                f"{nearest(name, _TERMS)}"
            )
    if "returns" in terms:
        terms["returns"] = _contract(terms["returns"], where)
    return terms.pop("path"), terms


def _contract(word: Any, where: str) -> Any:
    """Return the type that a word of ``returns`` stands for."""
    if word == "any":
        return Any
    if word == "report":
        from ..report.models import HealthReport

        return HealthReport
    raise GuardUsageError(
        f"{where}.returns = {word!r} is neither 'report' nor 'any'; for another "
        "contract call protect(path, returns=...) where the program starts."
    )
