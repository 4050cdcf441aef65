"""Tests that run by many schedules, and replays of the ones that failed."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Generator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError
from ..testing.errors import usage_error
from ..testing.schedules.exploration import (
    Cause,
    Plan,
    Search,
    first_run,
    shrink,
    whole_number,
)
from ..testing.schedules.explorer import (
    NO_LOOP,
    Replay,
    describe_failure,
    failure_of,
)
from ..testing.schedules.loop import scheduled
from ..testing.schedules.tokens import NO_TEST, decode, digest
from .watcher import LINES

if TYPE_CHECKING:
    from ..testing.schedules.schedule import Schedule
    from ..testing.schedules.tokens import Recipe

_REPLAYS = 5
_MOST_SHRINKING_RUNS = 100
_HEADING = "schedules"
_KEYS = [field.name for field in fields(Plan)]


class Schedules:
    """The hooks that run a test by many schedules.

    Each run has its own setup, call and teardown. Only one run is reported: the one
    that fails, or else the last one.
    """

    def __init__(self, config: pytest.Config) -> None:
        try:
            self._runs = _runs_of(config)
            self._token = _token_of(config)
        except GuardUsageError as error:
            raise pytest.UsageError(str(error)) from None
        self._errors: list[BaseException] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep only the test that the token to replay belongs to.

        Raises:
            pytest.UsageError: It is not among the tests that were selected.
        """
        if self._token is None or not items:
            return
        _, test = self._token
        kept = [item for item in items if digest(item.nodeid) == test]
        if not kept:
            raise pytest.UsageError(
                "--coroguard-replay: the token belongs to none of the tests that were "
                "selected; name the file or the test that it was printed for"
            )
        config.hook.pytest_deselected(items=[it for it in items if it not in kept])
        items[:] = kept

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a test by its schedules, where it has some."""
        try:
            plan = self._plan(item)
        except GuardUsageError as error:
            _fail_at_once(item, str(error))
            return None
        if plan is None:
            return None
        where = {"nodeid": item.nodeid, "location": item.location}
        item.ihook.pytest_runtest_logstart(**where)
        runs = _Runs(self, item, nextitem, plan)
        reports = runs.explore() if self._token is None else runs.replay(self._token[0])
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(**where)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the exceptions of failures, of which reports have only the text."""
        report = yield
        if report.failed and call.excinfo is not None:
            self._errors.append(call.excinfo.value)
        return report

    def take_error(self) -> BaseException | None:
        """Return the first exception since the last call."""
        errors, self._errors = self._errors, []
        return errors[0] if errors else None

    def _plan(self, item: pytest.Item) -> Plan | None:
        """Return the schedules of a test, ``None`` for asyncio's own order."""
        mark = item.get_closest_marker("schedules")
        plan = Plan() if mark is None else _plan_of(mark)
        if self._token is not None:
            return plan
        if mark is None and (self._runs is None or not _is_async(item)):
            return None
        return plan if self._runs is None else replace(plan, runs=self._runs)


class _Runs:
    """The runs of one test.

    Args:
        hooks: Keep the exceptions.
        item: The test.
        nextitem: The test after it, as pytest has it.
        plan: Which schedules to run.
    """

    def __init__(
        self,
        hooks: Schedules,
        item: pytest.Item,
        nextitem: pytest.Item | None,
        plan: Plan,
    ) -> None:
        self._hooks = hooks
        self._item = item
        self._nextitem = nextitem
        self._plan = plan
        self._reports: list[pytest.TestReport] = []

    def explore(self) -> list[pytest.TestReport]:
        """Run until a schedule fails, and return the reports to log."""
        found = Search(self._plan)
        for schedule in found.schedules():
            is_last = found.runs + 1 == self._plan.runs
            found.add(schedule, self._run(schedule, is_last=is_last))
            if any(it.skipped for it in self._reports):  # or failed as expected
                return self._reports if is_last else self._once_more(schedule)
        if found.failed is not None:
            return self._failed(found)
        if not found.loops and self._item.get_closest_marker("schedules"):
            return self._refused()
        return self._passed(found)

    def replay(self, recipe: Recipe) -> list[pytest.TestReport]:
        """Run the same schedule a few times, and return the reports to log."""
        first = first_run(self._plan, lambda it: self._run(it, is_last=False))
        reproduced, diverged, failed = 0, False, None
        for number in range(_REPLAYS):
            schedule = first.schedule(recipe)
            error = self._run(schedule, is_last=number + 1 == _REPLAYS)
            diverged = diverged or schedule.diverged
            if error is not None:
                reproduced, failed = reproduced + 1, self._reports
        text = str(Replay(_REPLAYS, reproduced, diverged=diverged))
        reports = failed or self._reports
        self._add_line(reports, text)
        return reports

    def _run(self, schedule: Schedule, *, is_last: bool) -> BaseException | None:
        """Run setup, call and teardown once, and return the failures."""
        self._hooks.take_error()
        # The next test would need this one's module and wider fixtures, as a rule;
        # so does the next run of this one.
        after = self._nextitem if is_last else self._item.parent
        with scheduled(schedule):
            self._reports = runtestprotocol(self._item, log=False, nextitem=after)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        return self._hooks.take_error()

    def _once_more(self, schedule: Schedule) -> list[pytest.TestReport]:
        """Run again, with the teardown of wider fixtures; keep the other reports."""
        earlier = self._reports[:-1]
        self._run(self._plan.schedule(schedule.recipe), is_last=True)
        return [*earlier, self._reports[-1]]

    def _failed(self, found: Search) -> list[pytest.TestReport]:
        """Look for the least that the failure needs, and report a run of that."""
        original = self._reports
        most = (
            0 if self._item.config.getoption("usepdb", False) else _MOST_SHRINKING_RUNS
        )
        cause = shrink(found, lambda it: self._run(it, is_last=False), most_runs=most)
        self._run(found.schedule(cause.recipe), is_last=True)
        reports = self._reports
        if not any(report.failed for report in reports[:-1]):
            reports = [*original[:-1], reports[-1]]
        failed = next(report for report in (*reports, *original) if report.failed)
        text = _describe(found, cause, self._item.nodeid)
        failed.sections.append(("coroguard: failing schedule", text))
        return reports

    def _passed(self, found: Search) -> list[pytest.TestReport]:
        """Add an exploration to the summary, and to the evidence of a gate."""
        from ..gates.plugin import record_of

        record_of(self._item).did(schedules=len(found.different))
        text = "not explored: " + NO_LOOP
        if found.loops:
            text = (
                f"{found.runs} schedules, {len(found.different)} of them different, "
                f"with up to {found.points} choices"
            )
        self._add_line(self._reports, text)
        return self._reports

    def _refused(self) -> list[pytest.TestReport]:
        _fail_at_once(self._item, NO_LOOP)
        return runtestprotocol(self._item, log=False, nextitem=self._nextitem)

    @staticmethod
    def _add_line(reports: list[pytest.TestReport], text: str) -> None:
        lines = [*getattr(reports[-1], LINES, ()), [_HEADING, f": {text}"]]
        setattr(reports[-1], LINES, lines)


def _describe(found: Search, cause: Cause, nodeid: str) -> str:
    failure = failure_of(found, cause, nodeid)
    command = f"pytest {shlex.quote(nodeid)} --coroguard-replay={failure.token}"
    return describe_failure(failure, command)


def _runs_of(config: pytest.Config) -> int | None:
    """Return the number of schedules for every async test.

    Raises:
        GuardUsageError: It is not a whole number from 1 up.
    """
    for word, source in (
        (config.getoption("--coroguard-schedules"), "--coroguard-schedules"),
        (config.getini("coroguard_schedules") or None, "coroguard_schedules"),
    ):
        if word is not None:
            number = int(word) if word.isascii() and word.isdigit() else word
            return whole_number(source, number, least=1)
    return None


def _token_of(config: pytest.Config) -> tuple[Recipe, str] | None:
    """Return the schedule to replay, and the digest of its test.

    Raises:
        GuardUsageError: The token is malformed, or is not one of a test.
    """
    token = config.getoption("--coroguard-replay")
    if token is None:
        return None
    recipe, test = decode(token)
    if test == NO_TEST:
        raise usage_error(
            "--coroguard-replay: this token was printed by explore(); pass it to "
            "coroguard.testing.schedules.replay()"
        )
    return recipe, test


def _plan_of(mark: pytest.Mark) -> Plan:
    """Read the arguments of a marker.

    Raises:
        GuardUsageError: They are not those of a plan.
    """
    for name in mark.kwargs:
        if name not in _KEYS:
            raise usage_error(
                f"schedules has no option {name!r}; it has: {', '.join(_KEYS)}."
                f"{nearest(name, _KEYS)}"
            )
    options = {**dict(zip(("runs",), mark.args, strict=False)), **mark.kwargs}
    if len(mark.args) > 1 or (mark.args and "runs" in mark.kwargs):
        raise usage_error(
            "schedules takes one number; write @pytest.mark.schedules(runs=200)"
        )
    return Plan(**options)


def _is_async(item: pytest.Item) -> bool:
    """Return whether a test is async, and not one of hypothesis."""
    function: Any = getattr(item, "function", None)
    is_property = getattr(function, "is_hypothesis_test", False)
    return inspect.iscoroutinefunction(function) and not is_property


def _fail_at_once(item: pytest.Item, message: str) -> None:
    """Make a test fail with a message instead of running it."""

    def runtest() -> None:
        pytest.fail(message, pytrace=False)

    item.runtest = runtest  # type: ignore[method-assign]
