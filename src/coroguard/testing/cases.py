"""Test cases of unittest that fail for the coroutines they leak."""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import what_is
from .._runtime.modes import configure, current
from .recorder import Recorder, error_of

if TYPE_CHECKING:
    from .._leaks.leak import Leak

__unittest = True  # keeps the frames of this file out of unittest's tracebacks


class _Guarded(unittest.TestCase):
    """Watch each test of a case, its setup and its cleanup."""

    _coroguard: Recorder | None = None

    @property
    def leaks(self) -> list[Leak]:
        """The leaks of this test so far, those of guards and watches included."""
        return self._coroguard.leaks if self._coroguard else []

    def run(self, result: unittest.TestResult | None = None) -> Any:
        """Run the test in strict mode; leaks are an error of their own."""
        self._coroguard = recorder = Recorder(strict=True)
        method = self._testMethodName
        planted = vars(self).get(method)
        setattr(self, method, self._judging(getattr(self, method)))
        recorder.enter(f"setup or cleanup of {self._label}", is_async=True)
        recorder.start()
        # Cleanups run in reverse order: this one is the last.
        self.addCleanup(self._judge)
        # For the process: an async case's context was made before this call.
        before = current()
        configure(mode="strict")
        try:
            return super().run(result)
        finally:
            configure(mode=before)
            recorder.stop()
            if planted is None:
                delattr(self, method)
            else:
                setattr(self, method, planted)

    @property
    def _label(self) -> str:
        return f"{type(self).__qualname__}.{self._testMethodName}"

    def _judging(self, test: Callable[[], Any]) -> Callable[[], Any]:
        """Return the test method with a check for leaks at its end."""

        @functools.wraps(test)
        def judged() -> Any:
            __tracebackhide__ = True
            self._begin()
            with self._dropping_leaks_of_failure():
                result = test()
            if what_is(result) is not None:
                result = None  # unittest would not await it either
            self._judge()
            return result

        return judged

    def _begin(self) -> None:
        if self._coroguard is not None:
            self._coroguard.enter(self._label)

    @contextmanager
    def _dropping_leaks_of_failure(self) -> Generator[None]:
        """Drop the leaks of a failing test, so that its own reason is shown alone."""
        try:
            yield
        except BaseException:
            if self._coroguard is not None:
                self._coroguard.drain()
                self._coroguard.age()
            raise

    def _judge(self) -> None:
        __tracebackhide__ = True
        recorder = self._coroguard
        if recorder is None:
            return
        leaks = recorder.drain(thorough=True)
        recorder.enter(f"cleanup of {self._label}", is_async=True)
        if leaks:
            raise error_of(leaks)


class GuardedTestCase(_Guarded):
    """A ``unittest.TestCase`` whose tests fail for the coroutines they leak."""


class GuardedAsyncTestCase(_Guarded, unittest.IsolatedAsyncioTestCase):
    """An ``IsolatedAsyncioTestCase`` whose tests fail for the coroutines they leak."""

    def _judging(self, test: Callable[[], Any]) -> Callable[[], Any]:
        @functools.wraps(test)
        async def judged() -> Any:
            __tracebackhide__ = True
            self._begin()
            with self._dropping_leaks_of_failure():
                result = test()
                if result is not None:
                    await result
            del result
            self._judge()

        return judged
