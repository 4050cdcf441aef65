"""A check that lets a coroutine escape is a failed component, in every mode."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from coroguard import Event, Mode, guard, mode, subscribe
from coroguard.health import Checked, acollect, collect

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


async def is_connected() -> bool:
    return False


def returned() -> Any:
    return is_connected()


def truth_tested() -> bool:
    return bool(is_connected())


def swallowed() -> Any:
    try:
        return is_connected().get("ok")  # type: ignore[attr-defined]
    except Exception as error:
        return {"error": str(error)}


def swallowed_wholly() -> bool:
    with contextlib.suppress(Exception):
        return is_connected().get("ok")  # type: ignore[attr-defined,no-any-return]
    return True


def nested() -> Any:
    return {"database": {"connected": is_connected()}}


def raised() -> Any:
    return is_connected().get("ok")  # type: ignore[attr-defined]


async def dropped() -> bool:
    is_connected()
    return True


async def areturned() -> Any:
    return is_connected()


async def in_a_child_task() -> bool:
    import asyncio

    async def child() -> None:
        is_connected()

    await asyncio.create_task(child())
    return True


LEAKS = [
    returned,
    truth_tested,
    swallowed,
    swallowed_wholly,
    nested,
    raised,
    dropped,
    areturned,
    in_a_child_task,
]


@pytest.mark.parametrize("name", ["off", "observe", "enforce", "strict"])
@pytest.mark.parametrize("check", LEAKS, ids=lambda it: it.__name__)
@pytest.mark.parametrize("wrap", [lambda it: it, guard(returns=Any)], ids=["", "guard"])
async def test_leak_fails_the_component(
    check: Callable[[], Any], name: Any, wrap: Any
) -> None:
    """The component has failed and names the leak; the others are as they are."""
    with mode(name):
        found = await acollect(
            {"it": wrap(check), "other": lambda: True}, deadline_s=30
        )
    assert found.failed_components == ["it"]
    component = found.component_details["it"]
    assert component.error_code == "COROUTINE_LEAK"
    assert "coroutine 'is_connected' (async def, " in (component.error or "")
    assert "test_leaks_in_checks.py:" in (component.error or "")
    assert found.component_details["other"].status == "healthy"


@pytest.mark.parametrize("check", LEAKS, ids=lambda it: it.__name__)
def test_leak_fails_the_component_of_the_sync_form(check: Callable[[], Any]) -> None:
    """``collect`` sees what ``acollect`` sees."""
    found = collect({"it": check}, deadline_s=30)
    assert found.component_details["it"].error_code == "COROUTINE_LEAK"


async def test_leak_is_one_event() -> None:
    """A leak of a check is an event, named after the function, and only reported."""
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    try:
        await acollect({"it": returned}, deadline_s=30)
    finally:
        unsubscribe()
    assert [(it.guarded, it.action, it.mode) for it in events] == [
        ("returned", "reported", Mode.OBSERVE)
    ]


async def test_leak_beside_an_exception_names_both() -> None:
    """A check that raises and leaves a coroutine behind shows both."""

    async def check() -> None:
        is_connected()
        raise ConnectionRefusedError

    found = await acollect({"it": check}, deadline_s=30)
    error = found.component_details["it"].error or ""
    assert error.startswith("ConnectionRefusedError; coroutine 'is_connected'")


async def test_awaited_plain_value_is_named() -> None:
    """The mirror image, ``await`` on a plain value, fails with its own words."""

    def plain() -> bool:
        return True

    async def check() -> None:
        await plain()  # type: ignore[misc]

    found = await acollect({"it": check}, deadline_s=30)
    assert "plain bool" in (found.component_details["it"].error or "")


async def test_leak_of_an_optional_check_degrades() -> None:
    """An optional check that leaks degrades, and names the leak."""
    found = await acollect({"it": Checked(returned, optional=True)}, deadline_s=30)
    component = found.component_details["it"]
    assert (found.healthy, component.status) == (True, "degraded")
    assert component.error_code == "COROUTINE_LEAK"


@guard(returns=Any)
async def endpoint(checks: Any) -> Any:
    return await acollect(checks, deadline_s=30)


@pytest.mark.parametrize("check", LEAKS, ids=lambda it: it.__name__)
async def test_leak_belongs_to_the_check_and_not_to_its_caller(
    check: Callable[[], Any],
) -> None:
    """A guard around the collection does not take the leaks of the checks."""
    found = await endpoint({"it": check})
    assert found.component_details["it"].error_code == "COROUTINE_LEAK"
