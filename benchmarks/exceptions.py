"""The cost of an exception that passes a guard, by the length of the function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import coroguard
from benchmarks.table import Section, Target, duration
from benchmarks.timing import Call, best_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.timing import Effort

_SHORT, _LONG = 100, 5_000


def measure_exceptions(effort: Effort) -> Section:
    """Time a call that raises in the last line of a short and of a long function."""
    guarded = coroguard.guard(returns=Any)
    calls = {}
    for lines in (_SHORT, _LONG):
        raising = _raising(lines)
        calls[f"{lines:,} lines, bare"] = Call(_caught(raising))
        calls[f"{lines:,} lines, guarded"] = Call(_caught(guarded(raising)))
    best = best_of(calls, effort)
    added = {
        lines: best[f"{lines:,} lines, guarded"] - best[f"{lines:,} lines, bare"]
        for lines in (_SHORT, _LONG)
    }
    return Section(
        "An exception that passes a guard",
        ("function", "time"),
        [(name, duration(took)) for name, took in best.items()],
        [
            Target(
                f"what a guard adds in {_LONG:,} lines, beside {_SHORT}",
                added[_LONG] / added[_SHORT],
                2,
            )
        ],
    )


def _raising(lines: int) -> Callable[[], None]:
    """Make a function whose last line raises, after this many that are passed by."""
    body = "".join(f"        late = {number}\n" for number in range(lines))
    namespace: dict[str, Any] = {}
    source = f"def function(unset=0):\n    if unset:\n{body}    return None + 1\n"
    exec(compile(source, __file__, "exec"), namespace)
    return namespace["function"]  # type: ignore[no-any-return]


def _caught(function: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        try:  # noqa: SIM105 - a context manager costs more than what is measured
            function()
        except TypeError:
            pass

    return call
