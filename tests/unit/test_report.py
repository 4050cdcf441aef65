"""Right health reports, and the violations of any other value."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, PrivateAttr, ValidationError

from coroguard._inspect.contents import FROZENDICT
from coroguard.report import (
    ComponentHealth,
    HealthReport,
    check_report,
    is_plain_report,
    violations,
)

TOUCHED: list[str] = []


class Planted:
    """An awaitable that remembers when anybody calls its code."""

    def _touched(self, *_: object) -> Any:
        TOUCHED.append(type(self).__name__)
        raise AssertionError("user code was called")

    __await__ = __repr__ = __str__ = __bool__ = __len__ = __iter__ = _touched
    __getattr__ = __call__ = __get__ = __float__ = __index__ = _touched
    __class__ = property(_touched)  # type: ignore[assignment]


class AwaitableText(str):
    """A text that can be awaited."""

    __slots__ = ()

    def __await__(self) -> Iterator[Any]:
        raise AssertionError("awaited")


class Tell(HealthReport):
    """A report with a field and a private attribute of its own."""

    region: str
    _cache: Any = PrivateAttr(default=None)


def report(**changes: Any) -> dict[str, Any]:
    """Return a right report of a degraded and a failed component, changed."""
    return {
        "healthy": False,
        "failed_components": ["redis"],
        "component_details": {
            "database": {
                "status": "degraded",
                "duration_ms": 12.5,
                "pool": {"free": 1},
            },
            "redis": {"status": "failed", "error": "refused", "error_code": "E1"},
        },
        "error_suggestions": ["start redis"],
        "timestamp": "2025-09-09T12:00:00+00:00",
        "summary": "redis is down",
    } | changes


def healthy(**redis: Any) -> dict[str, Any]:
    """Return a right report of one healthy component with these fields."""
    details = {"redis": {"status": "healthy"} | redis}
    return report(healthy=True, failed_components=[], component_details=details)


async def is_connected() -> bool:
    return True


@pytest.fixture
def coroutine() -> Iterator[Any]:
    made = is_connected()
    yield made
    assert made.cr_frame is not None, "somebody closed or awaited it"
    made.close()


# --- right reports

COMPONENT = {"status": "healthy"}


class Status(str, Enum):  # noqa: UP042 - as much code has it
    HEALTHY = "healthy"


RIGHT = {
    "the seed's dictionary": report(),
    "a healthy service": healthy(),
    "no component at all": report(
        healthy=True, failed_components=[], component_details={}
    ),
    "unhealthy, nothing failed": healthy() | {"healthy": False},
    "failed in another order": report(
        failed_components=["b", "a"],
        component_details={"a": {"status": "failed"}, "b": {"status": "failed"}},
    ),
    "a datetime": report(timestamp=datetime.now(UTC)),
    "another zone": report(timestamp=datetime.now(timezone(timedelta(hours=2)))),
    "Z": report(timestamp="2025-09-09T12:00:00Z"),
    "basic ISO 8601": report(timestamp="20250909T120000Z"),
    "optional fields of None": healthy(error=None, duration_ms=None, details=None),
    "a duration of zero": healthy(duration_ms=0),
    "JSON inside": healthy(details={"a": [1, None, {"b": [True, 1.5, "x"]}]}),
    "a tuple, as json.dumps takes": healthy(ports=(1, 2)),
    "an ordered dictionary": healthy(pool=OrderedDict(free=1)),
    "a string enumeration": healthy()
    | {"component_details": {"redis": {"status": Status.HEALTHY}}},
    "the same component twice": report(
        healthy=True,
        failed_components=[],
        component_details={"a": COMPONENT, "b": COMPONENT},
    ),
    "the same value twice": healthy(a=(one := {"x": [1]}), b=one),
    "a dictionary of instances": healthy()
    | {"component_details": {"redis": ComponentHealth(status="healthy")}},
    "a dict subclass": OrderedDict(report()),
    "a mapping proxy": MappingProxyType(report()),
    "an instance": HealthReport.model_validate(report()),
    "an instance of a subclass": Tell.model_validate(report(region="eu")),
}


@pytest.mark.parametrize("value", RIGHT.values(), ids=RIGHT)
def test_right_report(value: object) -> None:
    """A right report has no violations."""
    assert check_report(value) == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("the seed's dictionary", True),
        ("a healthy service", True),
        ("a datetime", True),
        ("JSON inside", True),
        ("failed in another order", True),
        ("the same component twice", True),
        ("the same value twice", True),
        ("a tuple, as json.dumps takes", False),
        ("a string enumeration", False),
        ("a dict subclass", False),
        ("an instance", True),
        ("an instance of a subclass", False),
    ],
)
def test_plain_report(name: str, plain: bool) -> None:
    """Only built-in JSON types make a plain report."""
    assert is_plain_report(RIGHT[name]) is plain


# --- wrong ones

CYCLE: list[Any] = []
CYCLE.append({"again": CYCLE})

WRONG: dict[str, tuple[object, list[str]]] = {
    "text for a bool": (
        report(healthy="no"),
        ["healthy: should be a valid boolean, got 'no'"],
    ),
    "a number for a bool": (
        report(healthy=0),
        ["healthy: should be a valid boolean, got 0"],
    ),
    "naive text": (
        report(timestamp="2025-09-09T12:00:00"),
        ["timestamp: should have a time zone, got '2025-09-09T12:00:00'"],
    ),
    "a naive datetime": (
        report(timestamp=datetime(2025, 9, 9, 12)),
        ["timestamp: should have a time zone, got 2025-09-09T12:00:00"],
    ),
    "a Unix time": (
        report(timestamp=1757419200),
        ["timestamp: should be a datetime or ISO 8601 text, got 1757419200"],
    ),
    "no moment": (
        report(timestamp="noon"),
        ["timestamp: should be a datetime or ISO 8601 text, got 'noon'"],
    ),
    "healthy with a failed component": (
        report(healthy=True),
        ["healthy: is True, but failed_components is not empty"],
    ),
    "failed without details": (
        report(failed_components=["redis", "auth"]),
        ["failed_components[1]: names 'auth', which has no entry in component_details"],
    ),
    "failed and degraded": (
        report(failed_components=["redis", "database"]),
        ["failed_components[1]: names 'database', whose status is 'degraded'"],
    ),
    "failed, but not named": (
        report(failed_components=[]),
        [
            "component_details.redis.status: is 'failed', "
            "but failed_components does not name it"
        ],
    ),
    "another one named": (
        report(failed_components=["database"]),
        [
            "failed_components[0]: names 'database', whose status is 'degraded'",
            "component_details.redis.status: is 'failed', "
            "but failed_components does not name it",
        ],
    ),
    "named twice": (
        report(failed_components=["redis", "redis"]),
        ["failed_components[1]: names 'redis' a second time"],
    ),
    "a tuple for a list": (
        report(error_suggestions=("a",)),
        ["error_suggestions: should be a valid list, got tuple"],
    ),
    "a misspelt field": (
        report(sumary="x"),
        ["sumary: is not a field of a report; did you mean 'summary'?"],
    ),
    "an unknown field": (report(qqq="x"), ["qqq: is not a field of a report"]),
    "an unknown status": (
        healthy(status="ok"),
        [
            "component_details.redis.status: "
            "should be 'healthy', 'degraded' or 'failed', got 'ok'"
        ],
    ),
    "a negative duration": (
        healthy(duration_ms=-1),
        [
            "component_details.redis.duration_ms: "
            "should be greater than or equal to 0, got -1"
        ],
    ),
    "an endless duration": (
        healthy(duration_ms=math.inf),
        ["component_details.redis.duration_ms: should be a finite number, got inf"],
    ),
    "a bool for a duration": (
        healthy(duration_ms=True),
        ["component_details.redis.duration_ms: should be a valid number, got True"],
    ),
    "a number for an error": (
        healthy(error=5),
        ["component_details.redis.error: should be a valid string, got int"],
    ),
    "no status": (
        report(component_details={"redis": {}}, failed_components=[]),
        ["component_details.redis.status: is missing"],
    ),
    "a component that is text": (
        healthy() | {"component_details": {"redis": "ok"}},
        ["component_details.redis: should be a dict or a ComponentHealth, got str"],
    ),
    "NaN": (
        healthy(load=[math.nan]),
        ["component_details.redis.load[0]: should be a finite number"],
    ),
    "minus infinity": (
        healthy(load=-math.inf),
        ["component_details.redis.load: should be a finite number"],
    ),
    "a set": (
        healthy(details={"a": {1}}),
        ["component_details.redis.details.a: should be a JSON value, got set"],
    ),
    "a number as key": (
        healthy(details={200: 1}),
        ["component_details.redis.details.<int>: should be a str as key, got int"],
    ),
    "a cycle": (
        healthy(details=CYCLE),
        ["component_details.redis.details[0].again: contains itself"],
    ),
    "a name with a dot": (
        healthy() | {"component_details": {"db.a": {"status": 1}}},
        [
            "component_details['db.a'].status: "
            "should be 'healthy', 'degraded' or 'failed', got 1"
        ],
    ),
    "a list": ([report()], ["$: should be a dict or a HealthReport, got list"]),
    "nothing": (None, ["$: should be a dict or a HealthReport, got NoneType"]),
    "an empty instance": (
        HealthReport.__new__(HealthReport),
        [f"{name}: is missing" for name in HealthReport.model_fields],
    ),
}


@pytest.mark.parametrize(("value", "lines"), WRONG.values(), ids=WRONG)
def test_wrong_report(value: object, lines: list[str]) -> None:
    """Each violation of a wrong report is a line, path first."""
    assert check_report(value) == lines


@pytest.mark.parametrize("name", HealthReport.model_fields)
def test_all_fields_are_required(name: str) -> None:
    """A missing field is named, whichever it is."""
    value = report()
    del value[name]
    assert f"{name}: is missing" in check_report(value)


def test_all_violations_at_once() -> None:
    """Violations of fields and between fields are named together."""
    value = report(healthy="no", timestamp="noon", failed_components=["x"], a=1)
    del value["summary"]
    assert check_report(value) == [
        "healthy: should be a valid boolean, got 'no'",
        "timestamp: should be a datetime or ISO 8601 text, got 'noon'",
        "summary: is missing",
        "a: is not a field of a report",
        "failed_components[0]: names 'x', which has no entry in component_details",
        "component_details.redis.status: is 'failed', "
        "but failed_components does not name it",
    ]


def test_construction_reports_the_same() -> None:
    """The model refuses with the lines that the check gives."""
    value = report(healthy=True, summary=3)
    with pytest.raises(ValidationError) as caught:
        HealthReport(**value)
    assert violations(caught.value) == check_report(value)


def test_long_values_are_cut() -> None:
    """A shown value has at most 120 characters."""
    (line,) = check_report(healthy(status="x" * 10_000))
    assert len(line.partition("got ")[2]) <= 120


def test_long_paths_are_cut() -> None:
    """A path has at most 200 characters."""
    deep: Any = {1}
    for _ in range(1_000):
        deep = [deep]
    (line,) = check_report(healthy(details=deep))
    assert len(line.partition(": ")[0]) <= 200


@pytest.mark.parametrize(
    "value",
    [
        report(summary=["hunter2"]),
        report(error_suggestions="hunter2"),
        report(password="hunter2"),
        healthy(error=b"hunter2"),
        healthy(status="redis://user:hunter2@host"),
        healthy() | {"component_details": {"redis": "redis://:hunter2@host"}},
    ],
    ids=["summary", "suggestions", "unknown", "error", "status", "component"],
)
def test_no_secret_is_shown(value: object) -> None:
    """Neither the lines nor pydantic's own text repeat what may be secret."""
    with pytest.raises(ValidationError) as caught:
        HealthReport.model_validate(value)
    told = "\n".join([*check_report(value), str(caught.value)])
    assert "hunter2" not in told


def test_huge_numbers_are_shown() -> None:
    """An integer too large for a decimal repr does not break the line."""
    (line,) = check_report(report(healthy=10**10_000))
    assert line.startswith("healthy: should be a valid boolean, got 0x")


# --- awaitables and strangers

PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    **{
        name: lambda it, name=name: report(**{name: it})
        for name in HealthReport.model_fields
    },
    "a failed name": lambda it: report(failed_components=["redis", it]),
    "a suggestion": lambda it: report(error_suggestions=[it]),
    "a component": lambda it: report(component_details={"redis": it}),
    **{
        f"component {name}": lambda it, name=name: healthy(**{name: it})
        for name in ComponentHealth.model_fields
    },
    "an extra field": lambda it: healthy(connected=it),
    "deep inside": lambda it: healthy(a=[{"b": (1, [it])}]),
    "a key": lambda it: healthy(a={it: 1}),
    "a component's key": lambda it: (
        healthy() | {"component_details": {"redis": {"status": "healthy", it: 1}}}
    ),
    "a component's name": lambda it: (
        healthy() | {"component_details": {it: {"status": "healthy"}}}
    ),
    "a field's name": lambda it: {**report(), it: 1},
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_stranger_is_refused_untouched(place: Callable[[Any], Any]) -> None:
    """An awaitable is refused wherever it is, and none of its code is called."""
    TOUCHED.clear()
    assert (check_report(place(Planted())) != [], TOUCHED) == (True, [])


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_awaitable_text_is_refused(place: Callable[[Any], Any]) -> None:
    """A text that can be awaited is an awaitable."""
    assert check_report(place(AwaitableText("healthy"))) != []


def test_awaitable_text_as_a_fields_name() -> None:
    """A key is looked at although it equals the name of a field."""
    value = report()
    value[AwaitableText("summary")] = value.pop("summary")
    assert check_report(value) == [
        "<AwaitableText>: should not be awaitable, got AwaitableText"
    ]


def test_component_changed_after_the_fact() -> None:
    """A component's instance answers for what it holds now."""
    value = HealthReport.model_validate(report())
    value.component_details["database"].status = "ok"  # type: ignore[assignment]
    assert check_report(value) == [
        "component_details.database.status: "
        "should be 'healthy', 'degraded' or 'failed', got 'ok'"
    ]


def test_coroutine_is_named(coroutine: Any) -> None:
    """A line names the coroutine's function."""
    lines = check_report(healthy(connected=coroutine))
    assert lines == [
        "component_details.redis.connected: "
        "should be a JSON value, got coroutine 'is_connected'"
    ]


def test_returned_coroutine_is_named(coroutine: Any) -> None:
    """The value itself may be the coroutine."""
    lines = check_report(coroutine)
    assert lines == [
        "$: should be a dict or a HealthReport, got coroutine 'is_connected'"
    ]


def smuggled_by_assignment(value: HealthReport, it: Any) -> str:
    value.summary = it
    return "summary"


def smuggled_by_setattr(value: HealthReport, it: Any) -> str:
    object.__setattr__(value, "health", it)
    return "health"


def smuggled_into_component(value: HealthReport, it: Any) -> str:
    value.component_details["redis"].error = it
    return "component_details.redis.error"


def smuggled_into_extra(value: HealthReport, it: Any) -> str:
    setattr(value.component_details["redis"], "connected", it)  # noqa: B010
    return "component_details.redis.connected"


def smuggled_into_list(value: HealthReport, it: Any) -> str:
    value.error_suggestions.append(it)
    return "error_suggestions[1]"


@pytest.mark.parametrize(
    "smuggle",
    [
        smuggled_by_assignment,
        smuggled_by_setattr,
        smuggled_into_component,
        smuggled_into_extra,
        smuggled_into_list,
    ],
    ids=lambda function: function.__name__,
)
def test_smuggled_coroutine(smuggle: Callable[..., str], coroutine: Any) -> None:
    """An instance is checked as it is now, not as it was made."""
    value = HealthReport.model_validate(report())
    path = smuggle(value, coroutine)
    assert [line.partition(": ")[0] for line in check_report(value)] == [path]


def test_model_construct(coroutine: Any) -> None:
    """``model_construct`` skips the rules; the check does not."""
    value = HealthReport.model_construct(**report(healthy=coroutine))
    assert check_report(value) == [
        "healthy: should be a valid boolean, got coroutine 'is_connected'"
    ]


def test_private_attribute(coroutine: Any) -> None:
    """A private attribute may hold anything but an awaitable."""
    value = Tell.model_validate(report(region="eu"))
    value._cache = object()
    assert check_report(value) == []
    value._cache = [coroutine]
    assert check_report(value) == [
        "_cache[0]: should not be awaitable, got coroutine 'is_connected'"
    ]


# --- subclasses


def test_component_of_a_subclass(coroutine: Any) -> None:
    """What only a subclass of a component holds is not passed over."""

    class Component(ComponentHealth):
        _cache: Any = PrivateAttr(default=None)

    component = Component(status="healthy")
    value = HealthReport.model_validate(healthy())
    value.component_details = {"redis": component}
    assert check_report(value) == []
    component._cache = coroutine
    assert not is_plain_report(value)
    assert check_report(value) == [
        "component_details.redis._cache: "
        "should not be awaitable, got coroutine 'is_connected'"
    ]


def test_subclass_is_judged_by_its_own_class() -> None:
    """An instance of a subclass answers for the subclass's fields."""
    value = Tell.model_validate(report(region="eu"))
    value.region = 5  # type: ignore[assignment]
    assert check_report(value) == ["region: should be a valid string, got int"]


def test_dictionary_judged_by_a_subclass() -> None:
    """``model`` names the class that a dictionary has to satisfy."""
    assert check_report(report(), Tell) == ["region: is missing"]
    assert check_report(report(region="eu"), Tell) == []


def test_plain_report_is_no_subclass() -> None:
    """An instance of the base class is not one of the subclass."""
    value = HealthReport.model_validate(report())
    assert check_report(value, Tell) == [
        "$: should be a dict or a Tell, got HealthReport"
    ]


def test_raising_validator() -> None:
    """A validator that raises what it should not becomes a violation."""

    class Broken(HealthReport):
        def model_post_init(self, context: Any, /) -> None:
            raise KeyError("x")

    assert check_report(report(), Broken) == [
        "$: could not be judged, a validator raised KeyError"
    ]


# --- size and depth


@pytest.mark.parametrize("leaf", ["x", {1}], ids=["right", "wrong"])
def test_depth(leaf: object) -> None:
    """Depth costs no stack."""
    deep: Any = leaf
    for _ in range(20_000):
        deep = [deep]
    assert len(check_report(healthy(details=deep))) == (leaf != "x")


def test_many_components() -> None:
    """Twenty thousand components are read."""
    details = {f"c{number}": {"status": "healthy"} for number in range(20_000)}
    value = healthy() | {"component_details": details}
    assert check_report(value) == []
    details["c19999"]["status"] = "ok"
    assert len(check_report(value)) == 1


# --- as a dictionary


def test_get_as_the_seed_does() -> None:
    """The seed's callers read a report as the dictionary it was."""
    value = HealthReport.model_validate(report())
    assert value.get("error_suggestions", []) == ["start redis"]
    status = value.get("component_details", {}).get("redis", {}).get("status")
    assert status == "failed"
    assert value["component_details"]["database"]["pool"]["free"] == 1


def test_get_gives_the_default() -> None:
    """What a dictionary would lack is not there: unknown names, unset fields."""
    value = HealthReport.model_validate(report())
    assert value.get("nope") is None
    assert value.get("nope", 1) == 1
    assert value["component_details"]["database"].get("error", "none") == "none"
    assert "error" not in value["component_details"]["database"]
    assert "error" in value["component_details"]["redis"]
    assert "details" in ComponentHealth(status="healthy", details=None)


@pytest.mark.parametrize("name", ["nope", "get", "model_fields", "__dict__"])
def test_only_fields_are_keys(name: str) -> None:
    """An attribute that is not a field is not a key."""
    value = HealthReport.model_validate(report())
    assert name not in value
    with pytest.raises(KeyError, match=name):
        value[name]


def test_unset_field_of_a_constructed_report() -> None:
    """A field that ``model_construct`` left out is not a key."""
    value = HealthReport.model_construct(healthy=True)
    assert value.get("summary", "none") == "none"


def test_truth() -> None:
    """A report is true when healthy; a component is always true."""
    value = HealthReport.model_validate(report())
    assert bool(value) is False
    assert bool(HealthReport.model_validate(healthy())) is True
    assert bool(value["component_details"]["redis"]) is True


# --- as a model


@pytest.mark.parametrize(
    "twin",
    [
        copy.copy,
        copy.deepcopy,
        lambda value: pickle.loads(pickle.dumps(value)),
        lambda value: HealthReport.model_validate(value.model_dump()),
        lambda value: HealthReport.model_validate_json(value.model_dump_json()),
        lambda value: HealthReport.model_validate(value),
    ],
    ids=["copy", "deepcopy", "pickle", "model_dump", "model_dump_json", "validate"],
)
def test_twin_is_equal(twin: Callable[[HealthReport], HealthReport]) -> None:
    """Copies and round trips give an equal, right report."""
    value = HealthReport.model_validate(report())
    assert twin(value) == value
    assert check_report(twin(value)) == []


def test_repr_shows_the_fields() -> None:
    """The repr begins like the call that makes the report."""
    assert repr(HealthReport.model_validate(report())).startswith(
        "HealthReport(healthy=False, failed_components=['redis'], "
    )


def test_alias_in_a_subclass() -> None:
    """A subclass may give its fields other names from outside."""

    class Aliased(HealthReport):
        model_config = ConfigDict(alias_generator=str.upper)

    names = {key.upper(): item for key, item in report().items()}
    assert check_report(Aliased.model_validate(names)) == []


def test_attributes_are_not_fields() -> None:
    """An object with the right attributes is not a report."""
    assert check_report(SimpleNamespace(**report())) == [
        "$: should be a dict or a HealthReport, got SimpleNamespace"
    ]


# --- properties


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
components = st.builds(
    lambda extra, fields: extra | fields,
    st.dictionaries(
        st.text(max_size=4).filter(lambda key: key not in ComponentHealth.model_fields),
        json_values,
        max_size=3,
    ),
    st.fixed_dictionaries(
        {"status": st.sampled_from(["healthy", "degraded", "failed"])},
        optional={
            "error": st.none() | st.text(max_size=5),
            "error_code": st.none() | st.text(max_size=5),
            "details": json_values,
            "duration_ms": st.none()
            | st.integers(min_value=0, max_value=10**9)
            | st.floats(min_value=0, allow_infinity=False),
        },
    ),
)


@st.composite
def reports(draw: st.DrawFn) -> dict[str, Any]:
    details = draw(st.dictionaries(st.text(max_size=5), components, max_size=4))
    failed = [name for name, it in details.items() if it["status"] == "failed"]
    zone = st.sampled_from([UTC, timezone(timedelta(hours=-3))])
    moment = draw(st.datetimes(timezones=zone))
    return {
        "healthy": not failed and draw(st.booleans()),
        "failed_components": draw(st.permutations(failed)),
        "component_details": details,
        "error_suggestions": draw(st.lists(st.text(max_size=5), max_size=3)),
        "timestamp": draw(st.sampled_from([moment, moment.isoformat()])),
        "summary": draw(st.text(max_size=5)),
    }


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], item: Any) -> Any:
    """Return a copy with one place changed."""
    value = copy.deepcopy(value)
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = item
    return value


@given(reports())
def test_every_valid_report_is_right(value: dict[str, Any]) -> None:
    """Every valid report passes at a glance, and the model takes it too."""
    assert check_report(value) == []
    assert is_plain_report(value)
    assert check_report(HealthReport.model_validate(value)) == []


@given(reports(), st.data())
def test_no_planted_awaitable_passes(
    value: dict[str, Any], data: st.DataObject
) -> None:
    """An awaitable put anywhere into a valid report makes it wrong."""
    path = data.draw(st.sampled_from(list(paths(value))))
    planted = data.draw(st.sampled_from([Planted, lambda: AwaitableText("healthy")]))()
    assert check_report(put(value, path, planted)) != []


class Text(str):
    """A text that is not ``str`` itself."""

    __slots__ = ()


class Number(int):
    """A number that is not ``int`` itself."""

    __slots__ = ()


ODD = [
    *(None, True, False, 0, -1, 1.5, -1.5, math.nan, math.inf, "", "failed", "ok"),
    *(10**308, 10**309, 10**5_000, "\ud800", (), (1,), b"x", {1}, {1: 2}, 1j, ...),
    *({"\ud800": 1}, Text("healthy"), Text("ok"), Number(1), OrderedDict(a=1)),
    *(datetime(2025, 9, 9), datetime(2025, 9, 9, tzinfo=UTC), "2025-09-09"),
]
odd = st.sampled_from(ODD) | json_values


def is_taken(value: Any) -> bool:
    """Return whether the model takes a value."""
    try:
        HealthReport.model_validate(value)
    except ValidationError:
        return False
    return True


def component(fields: dict[str, Any]) -> ComponentHealth:
    """Return a component unchecked; an extra field may have any name, also ``cls``."""
    known = ComponentHealth.model_fields.keys() & fields.keys()
    made = ComponentHealth.model_construct(**{name: fields[name] for name in known})
    made.__pydantic_extra__.update(
        {name: it for name, it in fields.items() if name not in known}
    )
    return made


def as_instance(value: dict[str, Any]) -> HealthReport:
    """Return an instance that holds a report's values unchecked."""
    details = value["component_details"]
    if isinstance(details, dict):
        details = {
            name: component(it) if type(it) is dict else it
            for name, it in details.items()
        }
    return HealthReport.model_construct(**value | {"component_details": details})


@given(reports(), st.data())
def test_what_passes_at_a_glance_the_model_takes(
    value: dict[str, Any], data: st.DataObject
) -> None:
    """The quick look never takes what the model refuses, and the check agrees."""
    path = data.draw(st.sampled_from(list(paths(value))))
    value = put(value, path, data.draw(odd))
    taken = is_taken(value)
    assert is_plain_report(value) <= taken
    assert (check_report(value) == []) is taken


@given(reports(), st.data())
def test_quick_look_at_an_instance(value: dict[str, Any], data: st.DataObject) -> None:
    """An instance that was changed passes at a glance only if the model takes it."""
    path = data.draw(st.sampled_from(list(paths(value))))
    report = as_instance(put(value, path, data.draw(odd)))
    taken = is_taken(report)
    assert is_plain_report(report) <= taken
    assert (check_report(report) == []) is taken


@given(reports(), st.data())
def test_quick_look_takes_what_is_plain(
    value: dict[str, Any], data: st.DataObject
) -> None:
    """A plain value passes at a glance wherever the model takes it."""
    path = data.draw(st.sampled_from(list(paths(value))))
    value = put(value, path, data.draw(json_values))
    assert is_plain_report(value) is is_taken(value)


@pytest.mark.parametrize("key", ["\ud800", "é", "x"], ids=["surrogate", "letter", "x"])
def test_name_of_an_extra_field(key: str) -> None:
    """The quick look and the model agree on the names of extra fields."""
    value = healthy(**{key: 1})
    assert is_plain_report(value) is is_taken(value)


@pytest.mark.parametrize("as_text", [False, True], ids=["datetime", "text"])
@pytest.mark.parametrize("lazily", [False, True], ids=["imported", "first import"])
def test_frozen_clock(as_text: bool, lazily: bool) -> None:
    """A right report is right while a test has frozen the clock."""
    pytest.importorskip("freezegun")
    moment = repr("2025-09-09T12:00:00Z") if as_text else "datetime.datetime.now(UTC)"
    code = f"""
import datetime
from datetime import UTC
moment = {moment}
{"" if lazily else "import coroguard.report"}
import freezegun
with freezegun.freeze_time("2025-01-01"):
    for it in (moment, datetime.datetime.now(UTC)):
        from coroguard.report import ComponentHealth, HealthReport, check_report
        fields = dict(
            healthy=True, failed_components=[], component_details={{}},
            error_suggestions=[], timestamp=it, summary="well",
        )
        assert not check_report(fields), check_report(fields)
        assert not check_report(fields | {{"component_details": OrderedDict()}})
        assert HealthReport(**fields).timestamp.tzinfo is not None
        assert not check_report(HealthReport(**fields))
"""
    code = "from collections import OrderedDict\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(FROZENDICT is None, reason="needs frozendict, of Python 3.15")
def test_frozen_dictionaries() -> None:
    """A ``frozendict`` is a mapping like any other, at any depth."""
    frozen: Any = FROZENDICT
    details = frozen(redis=frozen(status="failed", details=frozen(tried=(1, 2))))
    value = frozen(report(component_details=details))
    assert check_report(value) == []
    assert HealthReport.model_validate(value).failed_components == ["redis"]
    assert check_report(frozen(value, healthy=0)) == [
        "healthy: should be a valid boolean, got 0"
    ]


def test_first_use_in_many_threads() -> None:
    """Threads that need the models at the same time for the first time share them."""
    code = """
import threading
from coroguard import HealthReport
barrier, wrong = threading.Barrier(8), []
def use():
    barrier.wait()
    try:
        HealthReport(
            healthy=True, failed_components=[], error_suggestions=[],
            component_details={"a": {"status": "healthy"}},
            timestamp="2025-09-09T12:00:00Z", summary="well",
        ).model_dump_json()
    except BaseException as error:
        wrong.append(repr(error))
threads = [threading.Thread(target=use) for _ in range(8)]
[it.start() for it in threads]
[it.join() for it in threads]
assert not wrong, wrong
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
