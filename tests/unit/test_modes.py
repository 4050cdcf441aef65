"""The modes, each as the table of modes defines it."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import coroguard
from coroguard import (
    CoroguardError,
    CoroutineLeakError,
    Event,
    GuardUsageError,
    HealthReportError,
    LeakKind,
    Mode,
    configure,
    guard,
    mode,
    watch,
)
from coroguard._runtime import hot
from coroguard._runtime.modes import current, unclaimed

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


async def twin() -> bool:
    return True


def returned() -> Any:
    return twin()


def nested() -> Any:
    return {"redis": twin()}


def dropped() -> Any:
    return 1 if twin() else 0


def symptom() -> Any:
    return {"error": "'coroutine' object has no attribute 'get'"}


def wrong_shape() -> Any:
    return {"healthy": "yes"}


CASES: dict[str, tuple[Callable[[], Any], Any, type[CoroguardError]]] = {
    "returned": (returned, Any, CoroutineLeakError),
    "nested": (nested, Any, CoroutineLeakError),
    "dropped": (dropped, Any, CoroutineLeakError),
    "symptom": (symptom, Any, CoroutineLeakError),
    "wrong shape": (wrong_shape, coroguard.HealthReport, HealthReportError),
}
#: The table of modes: what passes, what is reported, what is raised.
TABLE = {
    ("off", "returned"): "passes",
    ("off", "nested"): "passes",
    ("off", "dropped"): "passes",
    ("off", "symptom"): "passes",
    ("off", "wrong shape"): "passes",
    ("observe", "returned"): "reported",
    ("observe", "nested"): "reported",
    ("observe", "dropped"): "reported",
    ("observe", "symptom"): "reported",
    ("observe", "wrong shape"): "reported",
    ("enforce", "returned"): "raised",
    ("enforce", "nested"): "raised",
    ("enforce", "dropped"): "reported",
    ("enforce", "symptom"): "reported",
    ("enforce", "wrong shape"): "reported",
    ("strict", "returned"): "raised",
    ("strict", "nested"): "raised",
    ("strict", "dropped"): "raised",
    ("strict", "symptom"): "raised",
    ("strict", "wrong shape"): "raised",
}


@pytest.mark.parametrize(("level", "case"), TABLE, ids="-".join)
@pytest.mark.parametrize("pinned", [False, True], ids=["context", "pinned"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_table_of_modes(
    level: str, case: str, pinned: bool, is_async: bool, events: list[Event]
) -> None:
    """Every finding passes, is reported or raises as its mode requires."""
    function, contract, error = CASES[case]

    async def asynchronous() -> Any:
        return function()

    target: Any = asynchronous if is_async else function
    check = guard(returns=contract, mode=level if pinned else None)(target)
    actual = "passes"
    with mode("enforce" if pinned else level):
        try:
            result = asyncio.run(check()) if is_async else check()
        except error:
            actual = "raised"
        else:
            close(result)
    if events:
        actual = events[0].action
        assert (len(events), events[0].mode) == (1, level)
    assert actual == TABLE[level, case]


def close(value: Any) -> None:
    for one in value.values() if isinstance(value, dict) else [value]:
        getattr(one, "close", lambda: None)()


@pytest.mark.parametrize(
    ("level", "created"), [("enforce", False), ("strict", True)], ids=str
)
def test_only_strict_knows_the_line(level: str, created: bool) -> None:
    """The line that made the coroutine is shown in strict mode only."""
    sys.set_coroutine_origin_tracking_depth(0)  # which a watch around may have set
    with mode(level), pytest.raises(CoroutineLeakError) as caught:
        guard(returns=Any)(returned)()
    assert bool(caught.value.leak.created) is created


def test_strict_leaves_no_origin_tracking_behind() -> None:
    """After a strict block the thread tracks coroutine origins as it did before."""
    before = sys.get_coroutine_origin_tracking_depth()
    with mode("strict"), watch():
        guard(returns=Any)(lambda: 1)()
        assert sys.get_coroutine_origin_tracking_depth() > 0
    assert sys.get_coroutine_origin_tracking_depth() == before


def test_a_block_ends_with_its_mode() -> None:
    """``mode()`` nests, and gives back what was before."""
    with mode("observe"):
        with mode("off"):
            guard(returns=Any)(returned)().close()
        guard(returns=Any)(returned)().close()
    with pytest.raises(CoroutineLeakError):
        guard(returns=Any)(returned)()


@pytest.mark.usefixtures("process_mode")
def test_configure_sets_the_process() -> None:
    """``configure`` holds for all contexts without a mode of their own."""
    configure(mode="observe")
    guard(returns=Any)(returned)().close()


@pytest.mark.usefixtures("process_mode")
def test_a_mode_that_changes_inside_a_call_is_survived() -> None:
    """A guard that began strict and ends otherwise leaves its scope closed."""

    def relax() -> int:
        configure(mode="enforce")
        return 1

    configure(mode="strict")
    assert guard(returns=Any)(relax)() == 1
    with watch() as leaks:
        dropped()
    assert [leak.kind for leak in leaks] == [LeakKind.DROPPED]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "strickt"}, "Did you mean 'strict'"),
        ({"mode": 3}, "use one of: off, observe, enforce, strict"),
        ({"mdoe": "strict"}, "Did you mean 'mode'"),
        ({"unclaimed": "raise"}, "neither 'report' nor 'off'"),
        ({"unclaimed": True}, "neither 'report' nor 'off'"),
        ({"scan_limit": 0}, "at least 1"),
        ({"scan_limit": True}, "at least 1"),
    ],
    ids=["typo", "number", "setting", "unclaimed", "flag", "limit", "boolean"],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], words: str) -> None:
    """A setting that cannot hold is refused, and nothing is changed."""
    with pytest.raises(GuardUsageError, match=words):
        configure(**settings)


def python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_off_at_start_is_the_function_itself() -> None:
    """In a process that was started off, a guard is nothing at all."""
    code = (
        "from coroguard import guard; f = lambda: 1;"
        "print(guard(f) is f, guard(returns=int)(f) is f, guard(mode='strict')(f) is f)"
    )
    assert python(code, COROGUARD_MODE="off").stdout == "True True False\n"


def test_the_environment_sets_the_mode() -> None:
    """``COROGUARD_MODE=strict`` needs no change of code."""
    code = (
        "from coroguard import guard\nfrom typing import Any\n"
        "async def twin(): ...\n"
        "@guard(returns=Any)\ndef check():\n    return 1 if twin() else 0\n"
        "check()"
    )
    assert "left a coroutine behind" in python(code, COROGUARD_MODE="strict").stderr
    assert "Traceback" not in python(code, COROGUARD_MODE="").stderr


def test_an_unknown_mode_in_the_environment_is_refused() -> None:
    """A typo in the environment stops the import with the known values."""
    stderr = python("import coroguard", COROGUARD_MODE="strickt").stderr
    assert "COROGUARD_MODE='strickt' is not a mode" in stderr


def test_optimised_python_guards_as_well() -> None:
    """Nothing depends on ``assert``: ``-OO`` changes nothing."""
    code = (
        "from coroguard import guard\nfrom typing import Any\n"
        "async def twin(): ...\nguard(returns=Any)(lambda: {'a': twin()})()"
    )
    done = subprocess.run(
        [sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=False
    )
    assert "$.a" in done.stderr


def test_a_mode_around_a_yield_ends_in_another_context() -> None:
    """A generator that is resumed in another context leaves ``mode()`` cleanly."""

    def dependency() -> Iterator[Mode]:
        with mode("strict"):
            yield current()

    running = dependency()
    assert contextvars.copy_context().run(next, running) is Mode.STRICT
    assert contextvars.copy_context().run(next, running, None) is None
    assert not hot.HOT.alert


@pytest.mark.usefixtures("process_mode")
@pytest.mark.parametrize(
    ("level", "setting", "expected"),
    [
        ("off", "report", False),
        ("observe", "off", False),
        ("observe", "report", True),
        ("enforce", "off", False),
        ("enforce", "report", True),
        ("strict", "off", True),
    ],
)
def test_unclaimed_drops_are_reported_as_in_the_table(
    level: Any, setting: Any, expected: bool
) -> None:
    """Unclaimed drops become events in strict, and elsewhere where configured."""
    configure(mode=level, unclaimed=setting)
    assert (unclaimed(), unclaimed(in_context=False)) == (expected, expected)


def test_the_environment_sets_unclaimed() -> None:
    """``COROGUARD_UNCLAIMED=report`` needs no change of code, and a typo stops."""
    code = "from coroguard._runtime.modes import unclaimed; print(unclaimed())"
    assert python(code, COROGUARD_UNCLAIMED="report").stdout == "True\n"
    stderr = python(code, COROGUARD_UNCLAIMED="reprot").stderr
    assert "Did you mean 'report'" in stderr


def test_modes_are_words() -> None:
    """A mode equals its word."""
    assert [*Mode] == ["off", "observe", "enforce", "strict"]
