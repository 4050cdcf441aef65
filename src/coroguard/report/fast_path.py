"""The quick look at a report of built-in types, which most reports are."""

# A guarded call pays for this alone. What it takes, the models take too, which a
# property test holds; what it does not know is left to the models.

# pyright: reportUnknownVariableType=false
# (of what ``type`` returns for Any; a cast would be a call for each component)

import marshal
from functools import cache
from sys import float_info
from typing import Any, Final

from .json_values import DATETIME, is_exact_json, is_exact_leaf

_STATUSES: Final = frozenset({"healthy", "degraded", "failed"})
_KNOWN: Final = frozenset({"status", "error", "error_code", "duration_ms"})
# pydantic refuses a larger integer: it has no float.
_LONGEST_MS: Final = float_info.max


def is_plain_report(value: object) -> bool:
    """Return whether this is a right report of built-in JSON types alone.

    ``timestamp`` may be a ``datetime``, and the report an instance of the model.
    False promises nothing: ``check_report`` names what is wrong, if anything is.
    """
    return plain_bytes(value) is not None


def plain_bytes(value: object) -> bytes | None:
    """Return the texts of a plain report, as ``marshal`` writes them.

    ``None`` stands for a report that is not plain.
    """
    report: Any = value if type(value) is dict else _fields_of(value)
    if report is None or len(report) != 6 or not _holds_texts(report):
        return None
    try:
        details, suggestions = report["component_details"], report["error_suggestions"]
        failed, summary = report["failed_components"], report["summary"]
        healthy, moment = report["healthy"], report["timestamp"]
        if type(healthy) is not bool or type(summary) is not str:
            return None
        if not (_are_texts(failed) and _are_texts(suggestions) and _is_aware(moment)):
            return None
        really = _failed(details)
        if really is None or (failed and healthy):
            return None
        if failed != really and sorted(failed) != sorted(really):
            return None
        # The built-in types alone are in there, so no code of the value runs.
        return marshal.dumps((summary, suggestions, details))
    except (KeyError, ValueError, RuntimeError):
        return None


def _is_aware(moment: Any) -> bool:
    """Return whether this is ISO 8601 text or a datetime, with a zone."""
    if type(moment) is str:
        moment = DATETIME[0].fromisoformat(moment)
    return type(moment) is DATETIME[0] and moment.tzinfo is not None


def _are_texts(value: Any) -> bool:
    return type(value) is list and _holds_texts(value)


def _holds_texts(items: Any) -> bool:
    for item in items:  # noqa: SIM110 - a generator is slower
        if type(item) is not str:
            return False
    return True


def _failed(details: Any) -> list[str] | None:
    """Return the failed components; None if a component is not plain and right."""
    if type(details) is not dict:
        return None
    failed: list[str] = []
    inside: list[Any] = []
    for name, component in details.items():
        kind = type(component)
        if kind is not dict or type(name) is not str:
            return None
        for key, item in component.items():
            if type(key) is not str:
                return None
            if key in _KNOWN:
                continue
            if not key.isascii():
                key.encode()  # raises where pydantic cannot read the key
            kind = type(item)
            if kind is dict or kind is list:
                inside.append(item)
            elif not is_exact_leaf(item):
                return None
        # Looked up now, because another kind of key may have any ``__eq__``.
        get = component.get
        status, error, code = component["status"], get("error"), get("error_code")
        if type(status) is not str or status not in _STATUSES:
            return None
        if error is not None and type(error) is not str:
            return None
        if code is not None and type(code) is not str:
            return None
        if not _is_duration(get("duration_ms")):
            return None
        if status == "failed":
            failed.append(name)
    return failed if not inside or is_exact_json(inside) else None


def _is_duration(took: Any) -> bool:
    if took is None:
        return True
    return (type(took) is float or type(took) is int) and 0 <= took <= _LONGEST_MS


def _fields_of(value: object) -> dict[str, Any] | None:
    """Return the fields of an instance of the model itself, as built-in types."""
    report, component = _models()
    if type(value) is not report:
        return None
    try:
        fields, details = value.__dict__, {}
        for name, it in dict[Any, Any].items(fields["component_details"]):
            extra = it.__pydantic_extra__ if type(it) is component else None
            if type(extra) is not dict:
                return None
            details[name] = {**it.__dict__, **extra}
    except (AttributeError, KeyError, TypeError, RuntimeError):
        return None
    return {**fields, "component_details": details}


@cache
def _models() -> tuple[type, Any]:
    from .models import ComponentHealth, HealthReport  # not for dictionaries

    return HealthReport, ComponentHealth
