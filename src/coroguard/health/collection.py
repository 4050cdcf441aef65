"""Checks collected into a report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Never

from .checks import DEADLINE_S, named_checks, names, refuse_unknown, seconds
from .loop import run_outside
from .rounds import Round

if TYPE_CHECKING:
    from ..report.models import HealthReport
    from .checks import Checks

_OPTIONS = ("deadline_s", "expected")


async def acollect(
    checks: Checks,
    *,
    deadline_s: float = DEADLINE_S,
    expected: Iterable[str] = (),
    **unknown: Never,
) -> HealthReport:
    """Run all checks at once and return the report.

    A check that returns, truth-tests, swallows or drops a coroutine is a failed
    component, in every mode. Sync checks run in threads of their own, so that they
    may block; an async check that blocks the loop blocks this call too.

    Args:
        checks: By the names of their components: functions without arguments, sync
            or async, or ``Checked``. They return ``None`` or ``True``, a mapping of
            details, a ``ComponentHealth``, or ``False``.
        deadline_s: Seconds that each check may take, unless it has its own.
        expected: Names that must be among the checks; one that is missing is a
            failed component.
        **unknown: Refused, with the nearest right name.

    Returns:
        A report; unhealthy where there are no checks. What a check raised is in it
        by the name of its type only.

    Raises:
        GuardUsageError: An unknown option or value, or what is not a check.
    """
    return await made_round(
        "acollect()", checks, deadline_s, expected, unknown
    ).finish()


def collect(
    checks: Checks,
    *,
    deadline_s: float = DEADLINE_S,
    expected: Iterable[str] = (),
    **unknown: Never,
) -> HealthReport:
    """Collect a report in synchronous code; see ``acollect``.

    Async checks run on a loop that all such calls of the process share, in a thread
    of its own: the deadline holds also where one blocks that loop.
    """
    made = made_round("collect()", checks, deadline_s, expected, unknown)
    return run_outside(made.finish, made.deadline_s, lambda _: made.force())


def made_round(
    by: str,
    checks: object,
    deadline_s: object,
    expected: Any,
    unknown: dict[str, Any],
) -> Round:
    """Return a round of these checks, or raise for a wrong one."""
    refuse_unknown(by, unknown, _OPTIONS)
    return Round(named_checks(checks, by), seconds(deadline_s), names(expected, by))
