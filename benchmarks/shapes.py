"""The cost of the full check of a report, and how it grows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from beartype.door import is_bearable
from pydantic import TypeAdapter, validate_call
from typeguard import CollectionCheckStrategy, check_type

from benchmarks.reports import PlainReport, ReportDict, check_by_hand, report_of
from benchmarks.table import Section, Target, duration, per_call
from benchmarks.timing import Call, best_of, ratio
from coroguard import HealthReport, guard
from coroguard._leaks.scan import scan

if TYPE_CHECKING:
    from benchmarks.timing import Effort

__all__ = ["measure_growth", "measure_report", "measure_scan"]

_GUARD, _INSTANCE = "guard, a dict", "guard, a HealthReport"
_CALL = "pydantic.validate_call, HealthReport"
_TYPEGUARD = "typeguard.check_type, TypedDict, all items"
_CORE = "pydantic-core alone, HealthReport"
_PLAIN_CORE = "pydantic-core alone, the same fields without our rules"


def _give(value: Any) -> Any:
    return value


def _give_report(value) -> HealthReport:  # type: ignore[no-untyped-def]
    return value  # type: ignore[no-any-return]


def _give_plain(value) -> PlainReport:  # type: ignore[no-untyped-def]
    return value  # type: ignore[no-any-return]


def _by_typeguard(value: Any) -> Any:
    strategy = CollectionCheckStrategy.ALL_ITEMS
    return check_type(value, ReportDict, collection_check_strategy=strategy)


def _by_typeguard_first(value: Any) -> Any:
    return check_type(value, ReportDict)


def _by_beartype(value: Any) -> bool:
    return is_bearable(value, ReportDict)


def measure_report(effort: Effort) -> Section:
    """Time the full check of a report with five components."""
    report = report_of()
    instance = HealthReport.model_validate(report)
    typed = TypeAdapter(ReportDict)
    checked = validate_call(validate_return=True)
    calls = {
        "unguarded": Call(_give, (report,)),
        _GUARD: Call(guard(_give), (report,)),
        _INSTANCE: Call(guard(_give), (instance,)),
        _CALL: Call(checked(_give_report), (report,)),
        "pydantic.validate_call, the same fields without our rules": Call(
            checked(_give_plain), (report,)
        ),
        _CORE: Call(HealthReport.__pydantic_validator__.validate_python, (report,)),
        _PLAIN_CORE: Call(
            PlainReport.__pydantic_validator__.validate_python, (report,)
        ),
        "pydantic-core alone, TypedDict": Call(
            typed.validator.validate_python, (report,)
        ),
        _TYPEGUARD: Call(_by_typeguard, (report,)),
        "typeguard.check_type, TypedDict, first items only": Call(
            _by_typeguard_first, (report,)
        ),
        "beartype is_bearable, TypedDict": Call(_by_beartype, (report,)),
        "hand-written, no look inside details": Call(check_by_hand, (report,)),
    }
    best = best_of(calls, effort)
    over = [
        f"{duration(abs(best[_GUARD] - best[core]))} "
        f"{'more' if best[_GUARD] > best[core] else 'less'} than {core}"
        for core in (_CORE, _PLAIN_CORE)
    ]
    return Section(
        "Full check of a report with five components",
        ("one call", "time", "x validate_call", "x typeguard"),
        per_call(best, _CALL, _TYPEGUARD),
        [
            Target(
                "full check beside validate_call",
                ratio(best, _GUARD, _CALL),
                0.25,
                why="the guard looks at the type of every value in Python, and "
                "searches all texts for symptoms, which validate_call does not do",
            ),
            Target(
                "full check of an instance beside validate_call",
                ratio(best, _INSTANCE, _CALL),
                0.6,
            ),
            Target(
                "full check beside typeguard", ratio(best, _GUARD, _TYPEGUARD), 1 / 8
            ),
        ],
        (
            f"The guard takes {over[0]}, and {over[1]}.",
            "Only the guard looks for awaitables at every depth, hands the very object "
            "on, and reads the texts for symptoms. beartype is asked about the same "
            "TypedDict; how deep it looks into one is its own choice.",
        ),
    )


def measure_growth(effort: Effort) -> Section:
    """Time reports of many sizes."""
    guarded = guard(_give)
    calls = {f"{size:,}": Call(guarded, (report_of(size),)) for size in effort.sizes}
    best = best_of(calls, effort)
    smallest, largest = effort.sizes[1], effort.sizes[-1]
    grown = best[f"{largest:,}"] / best[f"{smallest:,}"]
    steps = math.log(largest / smallest) or 1.0
    rows = [
        (name, duration(took), duration(took / size))
        for (name, took), size in zip(best.items(), effort.sizes, strict=True)
    ]
    return Section(
        "Growth with the report's size",
        ("components", "full check", "each component"),
        rows,
        [
            Target(
                f"exponent of growth from {smallest:,} to {largest:,} components",
                math.log(grown) / steps,
                1.1,
                unit="",
            )
        ],
        ("1 is linear, 2 is quadratic; a little more than 1 is what caches cost.",),
    )


def measure_scan(effort: Effort) -> Section:
    """Time the scan alone: wide, mixed and deep values."""
    width = max(1, effort.nodes // 1_000)
    deep: list[Any] = []
    for _ in range(effort.nodes // 10):
        deep = [deep]
    values = {
        "lists of numbers": [list(range(1_000)) for _ in range(width)],
        "dicts of text": [
            {f"key {index}": "all is well" for index in range(1_000)}
            for _ in range(width)
        ],
        "small dicts": [{"a": 1, "b": "two", "c": None} for _ in range(width * 250)],
        f"lists, {effort.nodes // 10:,} deep": deep,
    }
    found = {name: scan(value) for name, value in values.items()}
    calls = {name: Call(scan, (value,)) for name, value in values.items()}
    best = best_of(calls, effort)
    rows = [
        (
            name,
            f"{found[name].nodes:,}",
            duration(took),
            duration(took / found[name].nodes),
            "all" if found[name].complete else "cut",
        )
        for name, took in best.items()
    ]
    return Section(
        "Scan for awaitables",
        ("value", "nodes", "time", "each node", "read"),
        rows,
        [
            Target(
                "scan of a list of numbers, each number",
                best["lists of numbers"] / found["lists of numbers"].nodes * 1e9,
                15,
                unit=" ns",
                why="the types are compared in Python; what the interpreter offers "
                "instead, `groupby`, a set or `marshal`, may run code of a "
                "metaclass or of a buffer",
            )
        ],
    )
