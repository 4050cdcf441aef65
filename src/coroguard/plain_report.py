"""Is this a right report that holds nothing but built-in JSON types?

Most reports are, and this is what a guarded call pays for: one pass over a plain
dictionary, a quarter of what pydantic needs for it. It decides nothing that the
models would not: what it takes they take (a property test holds that), and what
it does not know it leaves to them.
"""

from datetime import datetime
from math import inf
from types import NoneType
from typing import Any, Final, cast

from .json_values import is_exact_json

__all__ = ["aware", "is_plain_report"]

_FIELD_COUNT: Final = 6
_STATUSES: Final = frozenset({"healthy", "degraded", "failed"})
_TEXT: Final = frozenset({str, NoneType})
_JSON: Final = frozenset({str, int, float, bool, NoneType, dict, list})
_kinds_of: Final = {
    "status": frozenset({str}),
    "error": _TEXT,
    "error_code": _TEXT,
    "duration_ms": frozenset({int, float, NoneType}),
}.get


def is_plain_report(value: object) -> bool:
    """Say whether this is a right report made of built-in JSON types alone.

    True promises that nothing else is anywhere inside (``timestamp`` may be a
    ``datetime``). False promises nothing: ``check_report`` tells.
    """
    if type(value) is not dict:
        return False
    report = cast("dict[str, Any]", value)
    if len(report) != _FIELD_COUNT:
        return False
    for name in report:
        if type(name) is not str:
            return False
    try:
        failed, details = report["failed_components"], report["component_details"]
        healthy, summary = report["healthy"], report["summary"]
        suggestions, moment = report["error_suggestions"], report["timestamp"]
    except KeyError:
        return False
    if type(healthy) is not bool or type(summary) is not str or not aware(moment):
        return False
    if not (_are_texts(failed) and _are_texts(suggestions)):
        return False
    really = _failed(details)
    if really is None or (failed and healthy):
        return False
    return failed == really or sorted(failed) == sorted(really)


def aware(value: Any) -> datetime | None:
    """Read a moment or ISO 8601 text; None where it is neither or has no zone.

    The zone is not asked for its offset: that may be anybody's code.
    """
    if type(value) is str:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if type(value) is datetime and value.tzinfo is not None:
        return value
    return None


def _are_texts(value: object) -> bool:
    if type(value) is not list:
        return False
    items = cast("list[object]", value)
    for item in items:  # noqa: SIM110 - a generator is slower
        if type(item) is not str:
            return False
    return True


def _failed(details: object) -> list[str] | None:
    """Name the failed components; None where a component is not plain and right."""
    if type(details) is not dict:
        return None
    components = cast("dict[str, object]", details)
    failed: list[str] = []
    inside: list[Any] = []
    for name, component in components.items():
        if type(name) is not str or type(component) is not dict:
            return None
        fields = cast("dict[str, Any]", component)
        status = None
        for key, item in fields.items():
            kind = type(item)  # pyright: ignore[reportUnknownVariableType]
            if type(key) is not str or kind not in _kinds_of(key, _JSON):
                return None
            if kind is str:
                if key == "status":
                    status = item
            elif kind is float or kind is int:
                if not 0 <= item < inf and (
                    key == "duration_ms" or not -inf < item < inf
                ):
                    return None
            elif kind is dict or kind is list:
                inside.append(item)
        if status not in _STATUSES:
            return None
        if status == "failed":
            failed.append(name)
    return failed if not inside or is_exact_json(inside) else None
