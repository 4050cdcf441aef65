"""Leaks as failures of the test and the phase that caused them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

import pytest

from .._leaks.errors import CoroguardError, GuardUsageError, leak_error
from .._leaks.explain import explain
from .._leaks.leak import short
from ..testing.allowances import Allowance
from ..testing.recorder import Recorder, error_of
from ..testing.survivors import Coroutine, begin

if TYPE_CHECKING:
    from .._leaks.leak import Leak

#: The attribute of a test report that carries our lines, also between workers.
LINES = "coroguard_lines"
_PREFIX = {"setup": "setup of ", "call": "", "teardown": "teardown of "}
_IN = {"setup": " (setup)", "call": "", "teardown": " (teardown)"}


@dataclass
class _Test:
    """The test that runs.

    Args:
        recorder: Records it.
        allowances: The leaks that its markers allow.
        found: Leaks of the phase that ends, for its report.
        lines: Lines of that phase for the summary, each with its heading.
        error: The error that was raised for a leak in that phase.
    """

    recorder: Recorder
    allowances: list[Allowance] = field(default_factory=list[Allowance])
    found: list[Leak] = field(default_factory=list["Leak"])
    lines: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    error: CoroguardError | None = None


class Watcher:
    """The hooks that put a recorder around each test.

    Args:
        strict: Whether a leak fails its test; otherwise it is only reported.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._test = _Test(Recorder(strict=strict))
        self._lines: dict[str, list[str]] = {}
        begin()

    def close(self) -> None:
        """End the record of the last test."""
        self._test.recorder.stop()

    @property
    def leaks(self) -> list[Leak]:
        """The leaks seen so far in the test that runs."""
        return self._test.recorder.leaks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, Any]:
        """Begin to record, and judge the setup of the fixtures."""
        __tracebackhide__ = True
        self._test.recorder.stop()
        self._test = test = _Test(Recorder(strict=self._strict, owner=item.nodeid))
        wrong: list[str] = []
        for mark in item.iter_markers("allow_leaks"):
            try:
                test.allowances.append(Allowance.parse(*mark.args, **mark.kwargs))
            except GuardUsageError as error:
                wrong.append(str(error))
        test.recorder.start()
        result = yield from self._phase(item, "setup")
        # Not sooner, as other plugins' teardown counts on their setup.
        if wrong and self._strict:
            pytest.fail(wrong[0], pytrace=False)
        test.lines.extend(("allowances that are wrong", f": {it}") for it in wrong)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, Any]:
        """Judge the test itself."""
        __tracebackhide__ = True
        return (yield from self._phase(item, "call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item
    ) -> Generator[None, object, Any]:
        """Judge the teardown of the fixtures, and end the record."""
        __tracebackhide__ = True
        try:
            return (yield from self._phase(item, "teardown"))
        finally:
            self._test.recorder.stop()
            for allowance in self._test.allowances:
                if self._strict and not allowance.used:
                    line = f": {allowance.pattern!r}, {allowance.reason}"
                    self._test.lines.append(("allowances that met no leak", line))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, Any]:
        """Fail an ``async def`` test that pytest before 8.4 would skip."""
        __tracebackhide__ = True
        try:
            return (yield)
        except pytest.skip.Exception as skipped:
            if not self._strict or not _nobody_awaited(skipped):
                raise
        pytest.fail("nobody awaited this test: " + _NO_PLUGIN, pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the leaks of the phase to its report."""
        report = yield
        test, label = self._test, _label(item)
        found, test.found = test.found, []
        error, test.error = test.error, None
        lines, test.lines = test.lines, []
        excinfo = call.excinfo
        if error is not None and excinfo is not None and excinfo.value is error:
            report.longrepr = _without_traceback(excinfo)
        elif excinfo is not None and not isinstance(excinfo.value, _OUTCOMES):
            cause = None
            if not isinstance(excinfo.value, CoroguardError):
                cause = explain(excinfo.value)
            shown = [cause.within(label, is_async=_is_async(item))] if cause else []
            shown.extend(found)
            if shown:
                text = "\n".join(str(leak_error(leak)) for leak in shown)
                report.sections.append(("coroguard", text))
        if lines:
            setattr(report, LINES, [list(line) for line in lines])
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the lines for the summary, in the process that prints it."""
        for heading, line in getattr(report, LINES, ()):
            self._lines.setdefault(heading, []).append(f"{report.nodeid}{line}")

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Print the leaks that failed no test."""
        for heading, lines in sorted(self._lines.items(), reverse=True):
            terminalreporter.section(f"coroguard: {heading}")
            for line in lines:
                terminalreporter.line(line)

    def _phase(self, item: pytest.Item, when: str) -> Generator[None, object, Any]:
        """Run a phase and judge its leaks."""
        __tracebackhide__ = True
        test = self._test
        label = _PREFIX[when] + _label(item)
        test.recorder.enter(label, is_async=when != "call" or _is_async(item))
        try:
            result = yield
        except BaseException as raised:
            seen = test.recorder.drain()
            # A later test must not be blamed for what the exception holds.
            test.recorder.age()
            leaks = self._forbidden(seen, when)
            if not seen or not self._strict or not _is_about_drops(raised):
                self._list(leaks, when)
                test.found = leaks
                raise
            if not leaks:  # the test is allowed to leak these
                return None
            test.error = error_of(leaks)
            raise test.error from None
        if when == "teardown":
            for coroutine in _left_by_fixtures(item):
                test.recorder.abandon(coroutine)
        thorough = self._strict and when != "setup"
        leaks = self._forbidden(test.recorder.drain(thorough=thorough), when)
        if leaks and self._strict:
            test.error = error_of(leaks)
            raise test.error
        self._list(leaks, when)
        return result

    def _forbidden(self, leaks: list[Leak], when: str) -> list[Leak]:
        """Return the leaks that no marker of the test allows."""
        forbidden: list[Leak] = []
        for leak in leaks:
            covering = [it for it in self._test.allowances if it.covers(leak)]
            if covering:
                line = f"{_IN[when]}: {leak}, {covering[0].reason}"
                self._test.lines.append(("allowed leaks", line))
            else:
                forbidden.append(leak)
        return forbidden

    def _list(self, leaks: list[Leak], when: str) -> None:
        for leak in leaks:
            line = f"{_IN[when]}: {leak}; {leak.advice}"
            self._test.lines.append(("leaks", line))


_OUTCOMES = (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception)
_NO_PLUGIN = (
    "install a plugin that runs async tests, such as pytest-asyncio or anyio, "
    "and mark the test for it"
)


def _function(item: pytest.Item) -> Any:
    """Return the test function; items of other kinds may have anything there."""
    return item.function if isinstance(item, pytest.Function) else None


def _label(item: pytest.Item) -> str:
    """Return the name of a test, with its class and its parameters."""
    name = short(getattr(_function(item), "__qualname__", "")) or item.name
    _, bracket, parameters = item.name.partition("[")
    return name + bracket + parameters


def _is_async(item: pytest.Item) -> bool:
    return inspect.iscoroutinefunction(_function(item))


def _left_by_fixtures(item: pytest.Item) -> list[Coroutine]:
    """Return the coroutines that die with the values of the test's fixtures.

    Those that only the values hold: pytest frees them after the teardown. One
    that anything else holds, such as a wider fixture or a queue, may be awaited.
    """
    values: dict[str, Any] = getattr(item, "funcargs", None) or {}
    names = [
        name
        for name, value in values.items()
        if type(value) is CoroutineType
        and inspect.getcoroutinestate(value) == inspect.CORO_CREATED
    ]
    least = _holders({"": object()}, "")
    return [values[name] for name in names if _holders(values, name) <= least]


def _holders(values: dict[str, Any], name: str) -> int:
    return sys.getrefcount(values[name])


def _without_traceback(excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    """Return the representation of a leak error without its traceback.

    The frames would all be pytest's and ours; the text names the lines.
    """
    shown: Any = excinfo.getrepr(style="value")
    for entry in shown.reprtraceback.reprentries:
        entry.lines[:] = excinfo.exconly().splitlines()
    shown.reprtraceback.extraline = None
    return shown


def _is_about_drops(raised: BaseException) -> bool:
    """Return whether pytest raised this for never-awaited coroutines alone."""
    if isinstance(raised, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", raised)
        return all(map(_is_about_drops, group.exceptions))
    if not isinstance(raised, pytest.PytestUnraisableExceptionWarning):
        return False
    return any("was never awaited" in str(it) for it in (raised, raised.__cause__))


def _nobody_awaited(skipped: BaseException) -> bool:
    """Return whether pytest itself skipped a test, for being async."""
    traceback = skipped.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "async_warn_and_skip":
            return True
        traceback = traceback.tb_next
    return False
