"""Sources of a report: checks by name, or a function that returns all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._inspect.awaitables import is_kind, what_is
from .._inspect.callables import reaches_guard
from .._inspect.closing import close_refused
from .._leaks.errors import GuardUsageError
from ..report.check import check_report
from ..report.json_values import MAPPINGS, items_of, noun
from ..report.models import HealthReport
from .answers import LEAK, MISSING, WRONG, Outcome, component_of, report_of
from .calls import publish
from .checks import Checked, named_checks, names, seconds, usage_error
from .log import log_changes
from .rounds import Round

#: The name of the component that stands for a report that could not be had.
_WHOLE = "health"
#: A function that returns a whole report has a little longer than the checks that it
#: may collect.
_LONGER_S = 0.1


def round_maker(
    check: Any, *, by: str, deadline_s: float, expected: Iterable[str]
) -> Callable[[], Round]:
    """Return a function that makes a new round of these checks.

    Args:
        check: Checks by name, or a function that returns a report.
        by: The function that got it, for messages.
        deadline_s: Seconds that each check may take.
        expected: Names that must be among the components.

    Raises:
        GuardUsageError: It is neither.
    """
    limit_s, required = seconds(deadline_s), names(expected, by)
    is_one = callable(check) or what_is(check) is not None
    if is_one or isinstance(check, Checked):
        try:
            whole = check if isinstance(check, Checked) else Checked(check)
        except GuardUsageError as error:
            raise usage_error(f"{by}: {error}") from None
        return lambda: _Whole(whole, limit_s + _LONGER_S, required)
    checks = named_checks(check, by)
    return lambda: Round(checks, limit_s, required)


def is_source(value: object) -> bool:
    """Return whether this makes a report, and is not a report itself."""
    if is_kind(value, HealthReport):
        return False
    if is_kind(value, *MAPPINGS):
        return all(isinstance(it, Checked) or callable(it) for _, it in items_of(value))
    return callable(value) or isinstance(value, (Checked, list, tuple))


def valid_report(value: object, expected: Iterable[str] = ()) -> HealthReport:
    """Return the report if it is valid, else a report of its faults.

    Args:
        value: What a check returned; anything.
        expected: Names that must be among its components.
    """
    if what_is(value) is not None:
        text = f"expected a report, got {noun(value)}"
        close_refused(value)
        return failed_report(Outcome.failed(LEAK, text))
    if lines := check_report(value):
        is_report = is_kind(value, HealthReport, *MAPPINGS)
        why = lines[0] if is_report else noun(value)
        return failed_report(Outcome.failed(WRONG, f"expected a report, got {why}"))
    report = HealthReport.model_validate(value)
    missing = [name for name in expected if name not in report.component_details]
    if not report.component_details and not missing:
        return failed_report(Outcome.failed(MISSING, "no component was checked"))
    if not missing:
        return report
    outcome = Outcome.failed(MISSING, "the report has no component of this name")
    components = report.model_dump(exclude_unset=True)["component_details"]
    components |= {name: component_of(outcome) for name in missing}
    return HealthReport.model_validate(
        report_of(components, [*report.error_suggestions])
    )


def failed_report(outcome: Outcome) -> HealthReport:
    """Return the report of a check that did not return one."""
    return HealthReport.model_validate(report_of({_WHOLE: component_of(outcome)}, []))


class _Whole(Round):
    """A round of one check, which returns the whole report."""

    def __init__(self, whole: Checked, deadline_s: float, expected: list[str]) -> None:
        super().__init__({_WHOLE: whole}, deadline_s)
        self._whole = whole
        self._expected = expected

    def _report(self) -> HealthReport:
        outcome = self.outcomes()[_WHOLE]
        if outcome.code:
            report = failed_report(outcome)
        else:
            report = valid_report(outcome.value, self._expected)
        log_changes({n: it.__dict__ for n, it in report.component_details.items()})
        if not reaches_guard(self._whole.check):  # which publishes its own calls
            made: dict[str, Any] = {
                "status": "healthy" if report.healthy else "failed",
                "error_code": outcome.code,
                "duration_ms": outcome.duration_ms,
            }
            publish({self._whole.name: made})
        return report
