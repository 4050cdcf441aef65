"""The messages of errors: who, what, where, and what to type."""

from __future__ import annotations

import copy
import pickle

import pytest

from coroguard import (
    CoroguardError,
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    Leak,
    LeakKind,
    NotAwaitableError,
)

LEAK = Leak(
    kind=LeakKind.NESTED,
    name="is_connected",
    defined="app/redis_manager.py:88",
    created="app/health.py:41",
    created_in="validate_component_health",
    path="$.component_details.redis.connected",
).within("validate_component_health", is_async=False)

GOLDEN = """\
validate_component_health() let a coroutine escape
  leaked:   coroutine 'is_connected' (async def, app/redis_manager.py:88)
  where:    $.component_details.redis.connected
  created:  app/health.py:41, in validate_component_health
  expected: HealthReport
  fix:      await is_connected(...) where it is called, and make \
validate_component_health async, or call a synchronous twin [CG102]"""


def test_the_message_is_the_product() -> None:
    """A leak's message has the headline and the labelled lines of the contract."""
    assert str(CoroutineLeakError(LEAK, "HealthReport")) == GOLDEN


def test_an_unknown_line_is_not_shown() -> None:
    """What is not known leaves no label behind."""
    leak = Leak(kind=LeakKind.DROPPED).within("check", is_async=True)
    assert str(CoroutineLeakError(leak)) == (
        "check() left a coroutine behind un-awaited\n"
        "  leaked:   coroutine\n"
        "  fix:      await the coroutine where it is called [CG103]"
    )


def test_the_shape_message_names_all_violations() -> None:
    """A wrong report's message lists every violation, then what to do."""
    actual = str(HealthReportError("check", ["healthy: a", "summary: b"]))
    assert actual == (
        "check() returned a report of the wrong shape\n"
        "  wrong:    healthy: a\n"
        "            summary: b\n"
        "  expected: HealthReport\n"
        "  fix:      return a HealthReport without the violations above [CG107]"
    )


def test_long_values_are_cut() -> None:
    """No line of a message is longer than 120 characters and its label."""
    message = str(HealthReportError("check", ["healthy: " + "x" * 500]))
    assert max(map(len, message.splitlines())) <= 132


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (CoroutineLeakError, TypeError),
        (NotAwaitableError, TypeError),
        (HealthReportError, ValueError),
        (GuardUsageError, TypeError),
    ],
)
def test_each_error_is_also_the_standard_kind(
    error: type[Exception], standard: type[Exception]
) -> None:
    """Handlers of the standard kind, and of all of ours, catch each error."""
    assert issubclass(error, standard)
    assert issubclass(error, CoroguardError)


def test_a_handler_of_attribute_errors_does_not_hide_a_leak() -> None:
    """The handlers that hid the old crash do not hide the new error."""
    assert not issubclass(CoroutineLeakError, AttributeError)


@pytest.mark.parametrize(
    "error",
    [
        CoroutineLeakError(LEAK, "HealthReport"),
        NotAwaitableError(LEAK),
        HealthReportError("check", ["healthy: a"]),
        GuardUsageError("text"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("again", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_errors_survive_pickling_and_copying(error: Exception, again: object) -> None:
    """An error that crosses a process boundary has the same text and leak."""
    twin = again(error)  # type: ignore[operator]
    assert (type(twin), str(twin)) == (type(error), str(error))
    assert getattr(twin, "leak", None) == getattr(error, "leak", None)


class TenantError(CoroutineLeakError):
    """An error of a user's, with a constructor of its own."""

    def __init__(self, tenant: str) -> None:
        super().__init__(LEAK)
        self.tenant = tenant


@pytest.mark.parametrize("again", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_errors_of_users_survive_pickling_and_copying(again: object) -> None:
    """A subclass with other arguments pickles, with its attributes and notes."""
    error = TenantError("acme")
    error.add_note("while it was billed")
    twin = again(error)  # type: ignore[operator]
    assert (type(twin), str(twin)) == (TenantError, str(error))
    assert (twin.tenant, twin.leak) == ("acme", LEAK)
    assert twin.__notes__ == ["while it was billed"]


def test_errors_of_other_modules_keep_their_module() -> None:
    """A subclass is found where its own module defines it."""
    assert TenantError.__module__ == __name__


def test_errors_are_named_as_they_are_imported() -> None:
    """A traceback shows ``coroguard.CoroutineLeakError``."""
    assert CoroutineLeakError.__module__ == "coroguard"
