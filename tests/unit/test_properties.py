"""Values of any shape: each leak in them is found, and nothing else."""

from __future__ import annotations

import dataclasses
import inspect
from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coroguard import CoroutineLeakError, HealthReport, guard, mode
from coroguard._leaks.scan import scan


@dataclasses.dataclass
class Record:
    held: Any


class Model(pydantic.BaseModel, extra="allow"):
    held: Any


class Plant:
    def __await__(self) -> Any:
        yield


CLEAN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.text()
)
KEYS = st.text(max_size=5)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(deque),
        st.dictionaries(KEYS, inner, max_size=4),
        inner.map(Record),
        inner.map(lambda held: Model(held=held, more=held)),
        st.lists(inner, max_size=3).map(_cycle),
    )


def _cycle(items: list[Any]) -> list[Any]:
    return [*items, items]


VALUES = st.recursive(CLEAN, containers, max_leaves=12)


@st.composite
def planted(draw: st.DrawFn) -> tuple[Any, Plant]:
    """Return a value with one plant somewhere inside, and the plant."""
    plant = Plant()
    value: Any = plant
    for _ in range(draw(st.integers(1, 5))):
        around = draw(st.lists(VALUES, max_size=2))
        wrap = draw(st.sampled_from(["list", "tuple", "dict", "record", "model"]))
        if wrap == "list":
            value = [*around, value]
        elif wrap == "tuple":
            value = (value, *around)
        elif wrap == "dict":
            value = {draw(KEYS): value, 1: around}
        elif wrap == "record":
            value = Record(value)
        else:
            value = Model(held=around, more=value)
    return value, plant


def follow(value: Any, path: str) -> Any:
    """Walk a path as a reader of the message would."""
    if path.endswith("<key>"):
        raise AssertionError(path)
    code = path.replace("$", "value", 1)
    return eval(code, {"value": _Walk(value)}).value


class _Walk:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __getattr__(self, name: str) -> _Walk:
        inner = self.value
        return _Walk(inner[name] if isinstance(inner, dict) else getattr(inner, name))

    def __getitem__(self, key: Any) -> _Walk:
        return _Walk(self.value[key])


@given(VALUES)
def test_a_clean_value_is_clean(value: Any) -> None:
    """Nothing is found where nothing was planted."""
    assert scan(value).found == []


@given(planted())
def test_a_plant_is_found_and_its_path_leads_there(case: tuple[Any, Plant]) -> None:
    """One plant anywhere is found once, and its path is the way to it."""
    value, plant = case
    (found,) = scan(value).found
    assert found.value is plant
    if "'" not in found.path and '"' not in found.path:
        assert follow(value, found.path) is plant


COMPONENTS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.fixed_dictionaries(
        {"status": st.sampled_from(["healthy", "degraded", "failed"])},
        optional={
            "error": st.none() | st.text(max_size=20),
            "duration_ms": st.none() | st.floats(0, 1e6),
            "details": st.dictionaries(KEYS, st.integers() | KEYS, max_size=2),
        },
    ),
    max_size=6,
)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)


@st.composite
def reports(draw: st.DrawFn) -> dict[str, Any]:
    details = draw(COMPONENTS)
    failed = [name for name, it in details.items() if it["status"] == "failed"]
    moment = draw(MOMENTS)
    return {
        "healthy": not failed,
        "failed_components": failed,
        "component_details": details,
        "error_suggestions": draw(st.lists(st.text(max_size=20), max_size=3)),
        "timestamp": draw(st.sampled_from([moment, moment.isoformat()])),
        "summary": draw(st.text(max_size=30)),
    }


@pytest.mark.parametrize("level", ["off", "observe", "enforce", "strict"])
@given(report=reports())
@settings(max_examples=50)
def test_a_right_report_comes_back_as_itself(
    level: str, report: dict[str, Any]
) -> None:
    """Any right report passes in every mode and is the same object."""
    with mode(level):
        assert guard(lambda: report)() is report
        model = HealthReport.model_validate(report)
        assert guard(lambda: model)() is model


async def twin() -> bool:
    return True


@given(report=reports(), data=st.data())
def test_a_report_with_a_plant_is_refused(report: dict[str, Any], data: Any) -> None:
    """A coroutine in any field of any report is found there and closed."""
    name = data.draw(st.sampled_from([*report]))
    report[name] = leaked = twin()
    try:
        with pytest.raises(CoroutineLeakError) as caught:
            guard(lambda: report)()
        assert caught.value.leak.path == f"$.{name}"
        assert inspect.getcoroutinestate(leaked) == "CORO_CLOSED"
    finally:
        leaked.close()
