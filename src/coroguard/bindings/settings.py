"""Guards and exclusions that a project's `pyproject.toml` asks for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError
from .._pyproject import UnreadableProjectError, project_table
from .protection import protect

usage_error = partial(GuardUsageError, code="CG212")
# The keys of an entry that is a table.
_TERMS = ("path", "returns", "mode", "dropped")
_FIX = 'write protect = ["app.health:check"]'
_FIX_TABLE = 'write { path = "app.auth:is_allowed", returns = "any", mode = "enforce" }'


def protect_configured(root: Path | None = None) -> tuple[str, ...]:
    """Protect what ``[tool.coroguard] protect`` names.

    An entry is a path, or a table of a path and the terms of its guard, where
    ``returns`` is ``"report"`` or ``"any"``.

    Args:
        root: A folder of the project; ``None`` is the current one.

    Returns:
        The paths; none where the project configures none.

    Raises:
        GuardUsageError: The file cannot be read, or an entry is wrong; then
            nothing is protected.
    """
    file, table = _project(root)
    entries: Any = table.get("protect", [])
    where = f"{file}: tool.coroguard.protect"
    if not isinstance(entries, list):
        raise usage_error(f"{where} = {entries!r} is not a list; {_FIX}.")
    parsed = [_parse(entry, f"{where}[{index}]") for index, entry in enumerate(entries)]
    for path, terms in parsed:
        protect(path, **terms)
    return tuple(path for path, _ in parsed)


def excluded(root: Path | None = None) -> tuple[str, ...]:
    """Return the modules that ``[tool.coroguard] exclude`` leaves out.

    Args:
        root: A folder of the project; ``None`` is the current one.

    Raises:
        GuardUsageError: The file cannot be read, or the key is not a list of
            strings.
    """
    file, table = _project(root)
    patterns: Any = table.get("exclude", [])
    if not isinstance(patterns, list) or not all(type(it) is str for it in patterns):
        raise usage_error(
            f"{file}: tool.coroguard.exclude = {patterns!r} is not a list of strings; "
            'write exclude = ["app.migrations"].'
        )
    return tuple(patterns)


def _project(root: Path | None) -> tuple[Path, dict[str, Any]]:
    """Return the file of the project at a folder, and our table in it."""
    try:
        return project_table(root)
    except UnreadableProjectError as error:
        raise usage_error(str(error)) from None


def _parse(entry: Any, where: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the terms of an entry."""
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise usage_error(f"{where} = {entry!r} names no path; {_FIX_TABLE}.")
    terms: dict[str, Any] = {**entry}
    for name in terms:
        if name not in _TERMS:
            raise usage_error(
                f"{where} has no key {name!r}; it has {', '.join(_TERMS)}."
                f"{nearest(name, _TERMS)}"
            )
    if "returns" in terms:
        terms["returns"] = _contract(terms["returns"], where)
    return terms.pop("path"), terms


def _contract(word: Any, where: str) -> Any:
    """Return the contract that a value of ``returns`` names."""
    if word == "any":
        return Any
    if word == "report":
        from ..report.models import HealthReport

        return HealthReport
    raise usage_error(
        f"{where}.returns = {word!r} is neither 'report' nor 'any'; for another "
        "contract call protect(path, returns=...) where the program starts."
    )
