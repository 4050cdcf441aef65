"""The log of exceptions in checks, and of components that change their status."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from .._runtime.leak_log import logger

_MOST_NAMES = 1_024
_lock = threading.RLock()
#: The last error that was logged of each component.
_errors: dict[str, str] = {}


def log_exception(name: str, error: BaseException) -> None:
    """Log an exception with its traceback, unless it is the one before once more."""
    if _is_new(name, f"raised {type(error).__qualname__}"):
        text = "the check of %s raised %s"
        kind = type(error).__qualname__
        _log("warning", text, name, kind, exc_info=error)


def log_changes(components: Mapping[str, Mapping[str, Any]]) -> None:
    """Log each component that failed or recovered since the last report."""
    for name, component in components.items():
        if component["status"] == "healthy":
            if name in _errors and _is_new(name, ""):
                _log("info", "%s is healthy again", name)
        else:
            code = component.get("error_code") or component["status"]
            error = component.get("error") or ""
            if code == "CHECK_RAISED" and _errors.get(name) == f"raised {error}":
                continue  # logged with its traceback
            if _is_new(name, f"{code} {error}"):
                _log("warning", "%s %s: %s", name, component["status"], error or code)


def _is_new(name: str, error: str) -> bool:
    with _lock:
        before = _errors.pop(name, "")
        if error:
            if len(_errors) >= _MOST_NAMES:
                _errors.clear()
            _errors[name] = error
        return before != error


def _log(level: str, text: str, *args: object, exc_info: Any = None) -> None:
    try:
        getattr(logger().getChild("health"), level)(text, *args, exc_info=exc_info)
    except Exception:  # a handler of the program's
        return
