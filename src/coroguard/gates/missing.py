"""The tests that each gate misses: pinned, or in the source, and not collected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .paths import fits, near

if TYPE_CHECKING:
    from .config import Config
    from .verdict import Gate

# Tests of one file that are named one by one.
_MOST_NAMED = 3
_PIN = "coroguard gate --pin"


def with_missing(
    gates: Iterable[Gate],
    config: Config,
    report: Mapping[str, Any],
    pins: Mapping[str, Sequence[str]] | None,
) -> list[Gate]:
    """Return the gates with the tests that each of them misses.

    Args:
        gates: The gates with the tests that were collected for them.
        config: The configuration of the project.
        report: The recorder's report of the collection.
        pins: The pinned tests by gate; ``None`` where nothing is pinned.
    """
    ids = [item["id"] for item in report["collected"]]
    return [
        replace(
            gate,
            uncollected=(
                *gate.uncollected,
                *_unpinned(gate, ids, pins),
                *_in_source(gate, config.gates[gate.name].tests, report),
            ),
        )
        for gate in gates
    ]


def _unpinned(
    gate: Gate, ids: Sequence[str], pins: Mapping[str, Sequence[str]] | None
) -> Iterator[str]:
    if pins is None:
        return
    if gate.name not in pins:
        yield f"the gate {gate.name!r} in coroguard-gates.lock (run {_PIN})"
    for test in pins.get(gate.name, ()):
        if test not in gate.expected:
            similar = near(test, ids)
            hint = f"; did you mean {similar!r}?" if similar else ""
            yield f"{test} (pinned in coroguard-gates.lock{hint})"


def _in_source(
    gate: Gate, entries: Sequence[str], report: Mapping[str, Any]
) -> Iterator[str]:
    mine = [
        test
        for test in report["uncollected"]
        if gate.name in test["gates"] or any(fits(test["id"], it) for it in entries)
    ]
    skipped = [
        each
        for each in report["collect_skips"]
        if any(fits(each["id"], entry) for entry in entries)
        or any(fits(test["id"], each["id"]) for test in mine)
    ]
    for each in skipped:
        yield f"{each['id']} (skipped as a whole: {each['text']})"
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in mine:
        if not any(fits(test["id"], each["id"]) for each in skipped):
            line = f"{test['id']} ({test['why']})"
            by_file[test["id"].partition("::")[0]].append(line)
    for file, lines in by_file.items():
        if len(lines) > _MOST_NAMED:
            yield f"{file} ({len(lines)} tests, the first is {lines[0]})"
        else:
            yield from lines
