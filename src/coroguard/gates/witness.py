"""Outcomes of tests, taken where they arise."""

# A report can be rewritten by any hook, and an exception swallowed by any wrapper
# around a call. So the function of each test, its `runtest`, and the setup and the
# teardown of the session are wrapped themselves, inside every hook.

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, cast

import pytest

from .._inspect.callables import WRAPPERS, unwrap
from .._leaks.errors import CoroutineLeakError
from .evidence import Attempt, one_line
from .record import MissingService

_SKIPS = (pytest.skip.Exception, unittest.SkipTest)

# Exceptions that a test raises because it found something.
_FINDINGS = (AssertionError, pytest.fail.Exception, CoroutineLeakError)


class Witness:
    """Watches the phases of each test from inside.

    Args:
        note: Called with the node id and each attempt, when it ends.
    """

    def __init__(self, note: Callable[[str, dict[str, Any]], None]) -> None:
        self.note = note
        self._codes: dict[str, object] = {}

    def watch_session(self, session: pytest.Session) -> None:
        """Watch setup and teardown, whichever hook calls them."""
        state: Any = getattr(session, "_setupstate", None)
        if state is None:
            return
        original, teardown = state.setup, state.teardown_exact

        def set_up(item: pytest.Item) -> None:
            __tracebackhide__ = True
            with _Watched(self, item.nodeid, Attempt("setup")):
                original(item)

        def tear_down(nextitem: pytest.Item | None) -> None:
            __tracebackhide__ = True
            with _Watched(self, _torn_down(state), Attempt("teardown")):
                teardown(nextitem)

        state.setup, state.teardown_exact = set_up, tear_down

    def watch_item(self, item: pytest.Item) -> None:
        """Watch the call of a test, and remember which function it is."""
        self._codes[item.nodeid] = code_of(item)
        run: Any = item.runtest

        @functools.wraps(run)
        def runtest() -> Any:
            __tracebackhide__ = True
            attempt = Attempt("call", ran=not _has_body(item))
            with _Watched(self, item.nodeid, attempt):
                item.stash[_ATTEMPT] = attempt
                return run()

        item.runtest = runtest  # type: ignore[method-assign]

    @contextmanager
    def watch_body(self, item: pytest.Item) -> Generator[None]:
        """Put a witness around the function of a test while it is called."""
        if not _has_body(item):
            yield
            return
        function = cast("pytest.Function", item)
        body = function.obj
        is_same = code_of(item) is self._codes.get(item.nodeid)
        function.obj = _witnessed(body, item, self.note, is_same=is_same)
        holder = getattr(function, "_instance", None)
        is_case = isinstance(holder, unittest.TestCase)
        if is_case:  # unittest looks an async test up by its name
            setattr(holder, item.name, function.obj)
        try:
            yield
        finally:
            if getattr(function, "_obj", None) is not None:
                function.obj = body
            if is_case:
                vars(holder).pop(item.name, None)


_ATTEMPT = pytest.StashKey[Attempt]()


class _Watched:
    """Note how a block ends, and change nothing about it."""

    def __init__(self, witness: Witness, node_id: str, attempt: Attempt) -> None:
        self._witness = witness
        self._node_id = node_id
        self._attempt = attempt

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            _failed(self._attempt, error)
        self._witness.note(self._node_id, asdict(self._attempt))


def is_missing(error: BaseException) -> bool:
    """Return whether an exception is about missing services alone."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(map(is_missing, group.exceptions))
    return isinstance(error, MissingService)


def _failed(attempt: Attempt, error: BaseException) -> None:
    attempt.outcome = "failed"
    attempt.assertion = isinstance(error, _FINDINGS)
    if is_missing(error):
        attempt.outcome = "missing"
    elif isinstance(error, _SKIPS):
        attempt.outcome = "skipped"
    elif isinstance(error, pytest.xfail.Exception):
        attempt.outcome = "xfailed"
    attempt.text = one_line(f"{type(error).__name__}: {error}")


def _has_body(item: pytest.Item) -> bool:
    """Return whether a test is a function that can be wrapped."""
    if not isinstance(item, pytest.Function):
        return False
    body = item.obj
    return callable(body) and not inspect.isasyncgenfunction(body)


def code_of(item: pytest.Item) -> Any:
    """Return the code of a test's own function, behind its decorators."""
    if not isinstance(item, pytest.Function):
        return None
    return getattr(unwrap(item.function, through=WRAPPERS), "__code__", None)


def _witnessed(
    body: Any,
    item: pytest.Item,
    again: Callable[[str, dict[str, Any]], None],
    *,
    is_same: bool,
) -> Any:
    """Return a function that notes that it runs, and is else like the test's own."""

    def enter() -> Attempt:
        attempt = item.stash.get(_ATTEMPT, Attempt("call"))
        if attempt.outcome != "passed":  # something calls it again, inside one run
            again(item.nodeid, asdict(attempt))
            attempt.outcome, attempt.text, attempt.assertion = "passed", "", False
        attempt.ran = is_same
        return attempt

    @functools.wraps(body)
    async def async_body(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        attempt = enter()
        try:
            return await body(*args, **kwargs)
        except BaseException as error:
            _failed(attempt, error)
            raise

    @functools.wraps(body)
    def sync_body(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        attempt = enter()
        try:
            return body(*args, **kwargs)
        except BaseException as error:
            _failed(attempt, error)
            raise

    return async_body if inspect.iscoroutinefunction(body) else sync_body


def _torn_down(state: Any) -> str:
    """Return the node id of the test whose teardown begins."""
    stack = [node for node in state.stack if isinstance(node, pytest.Item)]
    return stack[-1].nodeid if stack else ""
