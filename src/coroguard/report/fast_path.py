"""Is this a right report that holds nothing but built-in JSON types?"""

# Most reports are, and this is what a guarded call pays for: one pass over a plain
# dictionary, at a third of pydantic's cost or less. It decides nothing that the
# models would not: what it takes they take (a property test holds that), and what
# it does not know it leaves to them.

# pyright: reportUnknownVariableType=false
# (of what ``type`` says of Any; a cast would be a call for each component)

from datetime import datetime
from math import inf, isfinite
from types import NoneType
from typing import Any, Final

from .json_values import is_exact_json

__all__ = ["is_plain_report"]

_FIELD_COUNT: Final = 6
_STATUSES: Final = frozenset({"healthy", "degraded", "failed"})
_TEXT: Final = frozenset({str, NoneType})
_ATOMS: Final = frozenset({str, int, bool, NoneType})
_RULED: Final = {
    "status": frozenset({str}),
    "error": _TEXT,
    "error_code": _TEXT,
    "duration_ms": frozenset({int, float, NoneType}),
}


def is_plain_report(value: Any) -> bool:
    """Say whether this is a right report made of built-in JSON types alone.

    True promises that nothing else is anywhere inside (``timestamp`` may be a
    ``datetime``). False promises nothing: ``check_report`` tells.
    """
    report = value
    kind = type(report)
    if kind is not dict or len(report) != _FIELD_COUNT:
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
    if type(healthy) is not bool or type(summary) is not str or not _is_aware(moment):
        return False
    if not (_are_texts(failed) and _are_texts(suggestions)):
        return False
    really = _failed(details)
    if really is None or (failed and healthy):
        return False
    return failed == really or sorted(failed) == sorted(really)


def _is_aware(value: Any) -> bool:
    """Say whether this is ISO 8601 text or a datetime, with a zone."""
    if type(value) is str:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return False
    return type(value) is datetime and value.tzinfo is not None


def _are_texts(value: Any) -> bool:
    kind = type(value)
    if kind is not list:
        return False
    for item in value:  # noqa: SIM110 - a generator is slower
        if type(item) is not str:
            return False
    return True


def _failed(details: Any) -> list[str] | None:
    """Name the failed components; None where a component is not plain and right."""
    kind = type(details)
    if kind is not dict:
        return None
    failed: list[str] = []
    inside: list[Any] = []
    for name, component in details.items():
        kind = type(component)
        if kind is not dict or type(name) is not str:
            return None
        status = None
        for key, item in component.items():
            if type(key) is not str:
                return None
            kind = type(item)
            if key in _RULED:
                if kind not in _RULED[key]:
                    return None
                if key == "status":
                    status = item
                elif key == "duration_ms" and item is not None and not 0 <= item < inf:
                    return None
            elif kind is dict or kind is list:
                inside.append(item)
            elif kind not in _ATOMS and (kind is not float or not isfinite(item)):
                return None
        if status not in _STATUSES:
            return None
        if status == "failed":
            failed.append(name)
    return failed if not inside or is_exact_json(inside) else None
