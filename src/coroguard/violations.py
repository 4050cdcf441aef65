"""How a violation is told: one line, the path first, no secret in it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from .json_values import noun

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from .json_values import Path

__all__ = ["FINISHED", "cut", "line", "told", "violations"]

#: Error types whose text is already whole: nothing is said of the value.
FINISHED: Final = frozenset({"contradiction", "json_value", "unknown_field"})

_SHOWN: Final = frozenset({"healthy", "status", "timestamp", "duration_ms"})
_VALUE_LIMIT: Final = 120
_PATH_LIMIT: Final = 200
_STEP: Final = re.compile(r"[\w:-]+|<[^<>]*>")
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")


def violations(error: ValidationError) -> list[str]:
    """Tell a validation error, one line for each violation, path first.

    Values are shown only for the fields of a report that can hold no secret:
    ``healthy``, ``status``, ``timestamp``, ``duration_ms``, cut at 120
    characters and without the credentials of a URL. Of any other its type is.
    """
    return [line(it["loc"], told(it)) for it in error.errors(include_url=False)]


def line(path: Path, text: str) -> str:
    """Put the path before the text; the value as a whole is ``$``."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _STEP.fullmatch(step):
            written += f".{step}"
        else:
            written += f"[{cut(repr(step))}]"
    return f"{cut(written.removeprefix('.'), _PATH_LIMIT) or '$'}: {text}"


def told(it: ErrorDetails) -> str:
    """Word one error: what should be, and what was there."""
    if it["type"] == "missing":
        return "is missing"
    if it["type"] in FINISHED:
        return it["msg"]
    found = _shown(it["input"]) if _is_shown(it["loc"]) else noun(it["input"])
    return f"{it['msg'].removeprefix('Input ')}, got {found}"


def cut(text: str, limit: int = _VALUE_LIMIT) -> str:
    """Leave out the middle of a long text."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _is_shown(path: Path) -> bool:
    """Say whether this is a field of a report or of a component of one."""
    is_component = len(path) == 3 and path[0] == "component_details"
    return (len(path) == 1 or is_component) and path[-1] in _SHOWN


def _shown(value: object) -> str:
    """Show a simple value; of any other, what it is."""
    kind = type(value)
    if kind is str:
        return cut(repr(_CREDENTIALS.sub("***@", str(value))))
    if type(value) is datetime and value.tzinfo is None:
        return value.isoformat()
    if type(value) is int:  # a huge one has no decimal repr
        return cut(repr(value) if value.bit_length() < 400 else hex(value))
    return repr(value) if kind in (bool, float, type(None)) else noun(value)
