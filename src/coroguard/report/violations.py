"""The line of a violation: the path first, and no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import InitErrorDetails, PydanticCustomError

from .._inspect.awaitables import ids
from .._inspect.texts import Mark, cut, nearest, render_path
from .json_values import DATETIME, noun

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from .json_values import Path

#: Error types whose text is complete without the value.
_FINISHED: Final = frozenset({"contradiction", "json_value", "unknown_field"})

_SHOWN: Final = frozenset({"healthy", "status", "timestamp", "duration_ms"})
_PATH_LIMIT: Final = 200
_SHORT = ids(bool, float, type(None))
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")


def violations(error: ValidationError) -> list[str]:
    """Return a line for each violation of a validation error, path first.

    Values are shown only for the fields of a report that can hold no secret:
    ``healthy``, ``status``, ``timestamp``, ``duration_ms``, cut at 120
    characters and without the credentials of a URL; of others, the type.
    """
    return [line(it["loc"], described(it)) for it in error.errors(include_url=False)]


def line(path: Path, text: str) -> str:
    """Return a violation's line: the path, then the text; ``$`` is the value."""
    steps = [Mark(f".{it}") if str(it).startswith("<") else it for it in path]
    return f"{cut(render_path(steps, root=''), _PATH_LIMIT) or '$'}: {text}"


def described(it: ErrorDetails) -> str:
    """Return the expected and the actual value of one place."""
    if it["type"] == "missing":
        return "is missing"
    if it["type"] in _FINISHED:
        return it["msg"]
    found = _shown(it["input"]) if _is_shown(it["loc"]) else noun(it["input"])
    return f"{it['msg'].removeprefix('Input ')}, got {found}"


def relayed(error: ValidationError, known: Iterable[str]) -> list[InitErrorDetails]:
    """Return errors anew; an unknown field gets the nearest known name."""
    lines: list[InitErrorDetails] = []
    for it in error.errors(include_url=False):
        kind, text, path = it["type"], it["msg"], it["loc"]
        if kind == "extra_forbidden" and len(path) == 1:
            kind, text = "unknown_field", "is not a field of a report"
            text += nearest(str(path[0]), known).replace(" Did", "; did")
        lines.append(line_error(kind, text, path, it["input"]))
    return lines


def line_error(kind: str, text: str, path: Path, value: object) -> InitErrorDetails:
    """Return a line error with this text."""
    error = PydanticCustomError(cast("Any", kind), "{text}", {"text": text})
    return InitErrorDetails(type=error, loc=path, input=value)


def _is_shown(path: Path) -> bool:
    """Return whether the value of this field may be shown."""
    is_component = len(path) == 3 and path[0] == "component_details"
    return (len(path) == 1 or is_component) and path[-1] in _SHOWN


def _shown(value: object) -> str:
    """Return a simple value as text, and the type of any other."""
    kind = type(value)
    if kind is str:
        return cut(repr(_CREDENTIALS.sub("***@", str(value))))
    if kind is DATETIME[0] and cast("datetime", value).tzinfo is None:
        return cast("datetime", value).isoformat()
    if type(value) is int:  # a huge one has no decimal repr
        return cut(repr(value) if value.bit_length() < 400 else hex(value))
    return repr(value) if id(kind) in _SHORT else noun(value)
