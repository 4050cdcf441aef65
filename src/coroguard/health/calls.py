"""Checks that were run, for the subscribers to calls."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from .._runtime.events import emit_call
from .._runtime.hot import HOT
from .answers import LEAK, RAISED, RUNNING, WRONG

if TYPE_CHECKING:
    from .._runtime.events import Outcome

_OUTCOMES: Final[dict[str, Outcome]] = {
    LEAK: "leaked",
    RAISED: "raised",
    WRONG: "invalid",
}


def publish(components: Mapping[str, Mapping[str, Any]]) -> None:
    """Publish a call of each component's check, under the component's name.

    Args:
        components: The components of a report, each with its fields.
    """
    if not HOT.timed:
        return
    now = perf_counter()
    for name, it in components.items():
        if it.get("error_code") == RUNNING:
            continue  # it did not run, so it took no time
        outcome: Outcome = it["status"]
        if outcome == "failed":
            outcome = _OUTCOMES.get(it.get("error_code") or "", outcome)
        emit_call(name, outcome, now - (it.get("duration_ms") or 0.0) / 1_000)
