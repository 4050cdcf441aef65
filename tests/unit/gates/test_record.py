"""The record of what a test did for its gate."""

from __future__ import annotations

import math

import pytest

from coroguard.gates.record import GateRecord, MissingService


def test_a_record_adds_up():
    """What a test records is kept, kind by kind."""
    record = GateRecord()
    record.did(users=2)
    record.did(users=1, faults=0)
    record.service("db", real=True, version="17")
    record.measure("p99", 3, "ms")
    assert record.to_json() == {
        "amounts": {"users": 3, "faults": 0},
        "services": [{"name": "db", "real": True, "version": "17"}],
        "missing": [],
        "measures": [{"name": "p99", "value": 3.0, "unit": "ms"}],
        "refused": [],
    }


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda record: record.did(users=-1), "users=-1: an amount cannot be"),
        (lambda record: record.did(users=math.nan), "users=nan: an amount is a whole"),
        (lambda record: record.did(faults=True), "faults=True: an amount is a whole"),
        (lambda record: record.did(users="9"), "users='9': an amount is a whole"),
        (lambda record: record.service("db", real="0"), "'0' is not a bool"),
        (lambda record: record.service("db", real=1), "1 is not a bool"),
        (lambda record: record.service(None, real=True), "None is not a str"),
        (lambda record: record.measure("p99", math.nan), "p99=nan: a measure is a fin"),
        (lambda record: record.measure("p99", math.inf), "p99=inf: a measure is a fin"),
        (lambda record: record.measure("p99", True), "p99=True: a measure is a finite"),
        (lambda record: record.measure("p99", "fast"), "p99='fast': a measure is a n"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_of_the_wrong_type_is_refused(call, words):
    """A value that is not evidence is refused, also where the error is swallowed."""
    record = GateRecord()
    with pytest.raises((TypeError, ValueError), match=words):
        call(record)
    assert words in record.to_json()["refused"][0]


def test_a_missing_service_is_no_exception():
    """Code under test that swallows every `Exception` does not swallow this one."""
    record = GateRecord()
    with pytest.raises(MissingService, match="redis is missing: refused") as raised:
        record.missing("redis", "refused")
    assert not isinstance(raised.value, Exception)
    assert record.to_json()["missing"] == [{"name": "redis", "why": "refused"}]
