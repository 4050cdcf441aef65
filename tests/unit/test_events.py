"""Events, their subscribers, and the log."""

from __future__ import annotations

import contextlib
import datetime
import functools
import logging
import subprocess
import sys
import uuid
from typing import Annotated, Any

import pydantic
import pytest

from coroguard import (
    CoroutineLeakError,
    Event,
    GuardUsageError,
    guard,
    mode,
    subscribe,
)


async def twin() -> bool:
    return True


def leaky(name: str | None = None) -> Any:
    """Return a guarded function that leaks, under a name of its own."""
    return guard(returns=Any, name=name or f"check_{uuid.uuid4().hex}")(lambda: twin())


def leak(check: Any) -> None:
    with pytest.raises(CoroutineLeakError):
        check()


def test_an_event_is_complete() -> None:
    """An event carries leak, error, action, mode, time and duration."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    with mode("strict"):
        leak(leaky("check"))
    unsubscribe()
    (event,) = seen
    assert isinstance(event.error, CoroutineLeakError)
    assert event.leak is event.error.leak
    assert (event.action, event.mode, event.guarded) == ("raised", "strict", "check")
    assert event.at.tzinfo is datetime.UTC
    assert event.duration_ms is not None
    assert event.duration_ms >= 0


def test_a_leak_is_reported_before_it_is_raised() -> None:
    """An ``except Exception`` around the guard cannot make a leak unseen."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    with contextlib.suppress(Exception):
        leaky()()
    unsubscribe()
    assert len(seen) == 1


def test_unsubscribing_ends_it() -> None:
    """After ``unsubscribe`` no event comes; calling it again does nothing."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    unsubscribe()
    unsubscribe()
    leak(leaky())
    assert seen == []


def test_a_subscriber_that_raises_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A subscriber's error is logged once; the other subscribers are served."""
    seen: list[Event] = []

    def breaks(event: Event) -> None:
        raise RuntimeError("out of order")

    ends = [subscribe(breaks), subscribe(seen.append)]
    for _ in range(3):
        leak(leaky())
    for end in ends:
        end()
    shown = [r for r in caplog.records if "subscriber" in r.getMessage()]
    assert (len(seen), len(shown)) == (3, 1)


def test_a_subscriber_that_leaks_does_not_loop() -> None:
    """Events that a subscriber causes itself go to the logger only."""
    seen: list[Event] = []

    def leaks(event: Event) -> None:
        seen.append(event)
        leak(leaky())

    unsubscribe = subscribe(leaks)
    leak(leaky())
    unsubscribe()
    assert len(seen) == 1


def test_the_log_counts_what_repeats(caplog: pytest.LogCaptureFixture) -> None:
    """The same place is logged at its first, 10th and 100th leak, with a count."""
    check = leaky()
    for _ in range(100):
        leak(check)
    counts = [r.leak_count for r in caplog.records if r.name == "coroguard.leak"]
    assert counts == [1, 10, 100]


def test_a_record_has_stable_keys(caplog: pytest.LogCaptureFixture) -> None:
    """The record's template is constant and its facts are in ``extra``."""
    with mode("enforce"):
        leak(leaky("check_keys"))
    record = caplog.records[-1]
    assert (record.msg, record.levelno) == ("coroguard %s a leak: %s", logging.ERROR)
    facts = {k: v for k, v in vars(record).items() if k.startswith("leak_")}
    assert facts == {
        "leak_kind": "returned",
        "leak_what": "coroutine",
        "leak_name": "twin",
        "leak_defined": facts["leak_defined"],
        "leak_path": "$",
        "leak_guarded": "check_keys",
        "leak_action": "raised",
        "leak_mode": "enforce",
        "leak_count": 1,
    }
    assert vars(record)["event.name"] == "coroguard.leak"
    assert record.exc_info is not None
    assert record.exc_info[0] is CoroutineLeakError


class AsyncSender:
    async def __call__(self, event: Event) -> None: ...


async def send(event: Event) -> None: ...


async def stream(event: Event) -> Any:
    yield event


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (3, "cannot call 3"),
        (send, "does not await send"),
        (functools.partial(send), "does not await send"),
        (AsyncSender(), "does not await AsyncSender"),
        (stream, "does not await stream"),
    ],
    ids=["number", "function", "partial", "object", "stream"],
)
def test_what_cannot_take_an_event_is_refused(callback: Any, words: str) -> None:
    """A subscriber that cannot be called, or would only make a coroutine, raises."""
    with pytest.raises(GuardUsageError, match=words):
        subscribe(callback)


def test_a_subscriber_that_returns_a_coroutine_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sync subscriber that makes a coroutine is reported, and the leak is closed."""
    seen: list[Event] = []
    ends = [subscribe(lambda event: send(event)), subscribe(seen.append)]
    for _ in range(3):
        leak(leaky())
    for end in ends:
        end()
    reported = [r for r in caplog.records if "coroutine 'send'" in r.getMessage()]
    assert (len(seen), len(reported)) == (3, 1)


def test_paths_of_data_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A leak at ever new keys of the data is one place, after some of them."""
    keys = iter(range(1_000))
    check = guard(returns=Any)(lambda: {next(keys): twin()})
    for _ in range(1_000):
        leak(check)
    records = [r for r in caplog.records if r.name == "coroguard.leak"]
    assert len(records) < 30


class Odd:
    """A value that a broken validator judges."""

    field: int


def test_what_cannot_be_judged_passes_and_is_reported_once() -> None:
    """A validator that breaks lets the value pass, with one event and its reason."""
    seen: list[Event] = []

    def breaks(value: object) -> object:
        raise KeyError("m")

    contract = Annotated[Odd, pydantic.PlainValidator(breaks)]
    value = Odd()
    check = guard(returns=contract, name="odd")(lambda: value)
    unsubscribe = subscribe(seen.append)
    with mode("strict"):
        assert check() is check() is value
    unsubscribe()
    (event,) = seen
    assert (event.action, event.leak, event.error) == ("unjudged", None, None)
    assert "KeyError: 'm'" in event.reason


def python(code: str) -> str:
    """Run a program that leaks once in ``check``, and return its standard error."""
    start = (
        "from typing import Any\nfrom coroguard import guard, mode\n"
        "async def twin(): ...\n"
        "@guard(returns=Any)\ndef check(): return twin()\n"
    )
    command = [sys.executable, "-c", start + code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize(
    ("level", "words"),
    [("enforce", "coroguard raised a leak"), ("observe", "coroguard reported a leak")],
)
def test_a_leak_is_visible_without_logging(level: str, words: str) -> None:
    """A program that configured no logging sees one record on standard error."""
    code = f"""
try:
    with mode({level!r}):
        check().close()
except TypeError:
    pass
"""
    stderr = python(code)
    assert stderr.startswith(f"{words}: check() let a coroutine escape\n")
    assert stderr.count("fix:") == 1


def test_a_program_decides_about_the_logger() -> None:
    """A program that configured logging gets the record where it wants it."""
    code = """
import logging
logging.getLogger("coroguard").addHandler(logging.NullHandler())
with mode("observe"):
    check().close()
"""
    assert python(code) == ""


def test_logging_that_is_out_of_order_changes_nothing() -> None:
    """A handler of the program's that raises does not stop a guarded call."""
    code = """
import logging
class Broken(logging.Handler):
    def emit(self, record): raise RuntimeError
logging.getLogger("coroguard").addHandler(Broken())
with mode("observe"):
    check().close()
"""
    assert python(code) == ""


def test_an_unfinished_scan_is_reported() -> None:
    """A value larger than the scan limit passes, with an event that it was cut."""
    from coroguard import configure

    lazy = type("Lazy", (), {"__await__": lambda self: iter(())})
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    configure(scan_limit=10)
    try:
        guard(returns=Any)(lambda: [lazy() for _ in range(100)])()
    finally:
        configure(scan_limit=2_000_000)
        unsubscribe()
    (event,) = seen
    assert (event.complete, event.leak, event.error) == (False, None, None)
