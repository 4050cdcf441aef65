"""Leaks as events of Sentry, also those that are only observed."""

# Sentry's integration of logging makes events from the level ERROR on, so that what
# ``observe`` reports, at WARNING, would only be a breadcrumb; and what is raised would
# be two events, the record and the exception. So each event is captured here, and
# its record is left out.

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from .._leaks.errors import CoroguardError
from .._leaks.leak import OF_EXCEPTIONS
from .._runtime.events import subscribe
from .extras import of_extra

if TYPE_CHECKING:
    from .._runtime.events import Event

__all__ = ["install"]

_LOGGER = "coroguard.leak"

_lock = Lock()
_state: dict[str, Any] = {"uninstall": None, "has_processor": False}
#: Errors that were captured here; an integration of a framework may see them later.
_captured: weakref.WeakSet[CoroguardError] = weakref.WeakSet()


def install() -> Callable[[], None]:
    """Capture every finding as one event, grouped by kind and function.

    Repeated calls change nothing. It may be called before ``sentry_sdk.init``.

    Returns:
        A function that ends it; Sentry goes on to leave out the logger.

    Raises:
        ModuleNotFoundError: The extra ``sentry`` is not installed.
    """
    with of_extra("sentry"):
        from sentry_sdk.integrations.logging import ignore_logger
        from sentry_sdk.scope import add_global_event_processor
    with _lock:
        if _state["uninstall"] is None:
            ignore_logger(_LOGGER)
            if not _state["has_processor"]:
                add_global_event_processor(_without_repeats)
                _state["has_processor"] = True
            unsubscribe = subscribe(_capture)

            def uninstall() -> None:
                unsubscribe()
                _state["uninstall"] = None

            _state["uninstall"] = uninstall
        found: Callable[[], None] = _state["uninstall"]
        return found


def _capture(event: Event) -> None:
    import sentry_sdk

    error: BaseException | None = event.error
    if event.error is None:
        return
    leak = event.leak
    kind = leak.kind.value if leak else "shape"
    if event.action == "noted" and leak is not None and leak.kind in OF_EXCEPTIONS:
        # The exception that the coroutine caused, so that its own event, which is the
        # same fault, is recognized as a repetition.
        error = sys.exception() or error
    with sentry_sdk.new_scope() as scope:
        scope.set_level("error" if event.action == "raised" else "warning")
        scope.fingerprint = [
            "coroguard",
            kind,
            leak.name if leak else "",
            event.guarded,
        ]
        scope.set_tag("coroguard.kind", kind)
        scope.set_tag("coroguard.guarded", event.guarded)
        scope.set_tag("coroguard.mode", event.mode.value)
        scope.set_context("coroguard", _facts(event))
        scope.add_event_processor(_with_stack)
        scope.capture_exception(error)
    _captured.add(event.error)


def _facts(event: Event) -> dict[str, str]:
    leak = event.leak
    known = {
        "leaked": str(leak) if leak else "",
        "path": leak.path if leak else "",
        "advice": leak.advice if leak else "",
        "place": event.place,
        "place_in": event.place_in,
        "action": event.action,
        "method": event.method,
        "route": event.route,
        "request_id": event.request_id,
    }
    return {name: value for name, value in known.items() if value}


def _with_stack(event: Any, hint: Any) -> Any:  # noqa: ARG001
    """Give an error that has not been raised yet the stack of the program."""
    import sentry_sdk
    from sentry_sdk.utils import current_stacktrace

    values = event.get("exception", {}).get("values", [])
    if not values or values[-1].get("stacktrace"):
        return event
    options = sentry_sdk.get_client().options
    stack = current_stacktrace(
        include_local_variables=options.get("include_local_variables", True),
        include_source_context=options.get("include_source_context", True),
        max_value_length=options.get("max_value_length"),
    )
    frames = stack["frames"]
    while frames and str(frames[-1].get("module")).startswith("coroguard."):
        frames.pop()
    if frames:
        values[-1]["stacktrace"] = stack
    return event


def _without_repeats(event: Any, hint: Any) -> Any:
    """Drop the event of an error that was captured when it was found."""
    error = ((hint or {}).get("exc_info") or (None, None))[1]
    is_repeated = isinstance(error, CoroguardError) and error in _captured
    return None if is_repeated else event
