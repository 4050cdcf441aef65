"""The tests that each gate expects, and the gates that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from coroguard._inspect.texts import nearest

from .config import CATEGORIES
from .errors import GateConfigError
from .paths import fits, near
from .verdict import Gate

if TYPE_CHECKING:
    from .config import Config, GateConfig

_FOLDERS = {
    "unit": "unit",
    "integration": "integration",
    "mission_critical": "critical",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The gates that were asked for; without any wish, all of them.

    It chooses gates and never tests inside a gate: a gate is whole or not run.

    Args:
        categories: Of these categories.
        patterns: Globs, of which one fits the gate's name, or the file or the node id
            of one of its tests.
    """

    categories: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def fits(self, gate: Gate) -> bool:
        """Return whether a gate was asked for."""
        if self.categories and gate.category not in self.categories:
            return False
        return not self.patterns or any(
            fnmatchcase(text, pattern)
            for pattern in self.patterns
            for text in _texts_of(gate)
        )


def _texts_of(gate: Gate) -> Iterable[str]:
    yield gate.name
    for test in (*gate.expected, *gate.uncollected):
        file = test.partition("::")[0]
        yield from (test, file, PurePosixPath(file).name)


def pin(config: Config, collected: Sequence[Mapping[str, Any]]) -> list[Gate]:
    """Pin the tests of each gate: those it lists and those that are marked.

    Args:
        config: The project's configuration.
        collected: Each test with its marks, as the recorder reports it.

    Raises:
        GateConfigError: A mark is wrong, or names a gate that is not configured.
    """
    marked = _marked(config, collected)
    ids = [item["id"] for item in collected]
    return [
        _pin(name, gate, ids, marked.get(name, {}))
        for name, gate in config.gates.items()
    ]


def _marked(
    config: Config, collected: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, bool]]:
    """Return, by gate, the marked tests and whether their marks block."""
    marked: dict[str, dict[str, bool]] = {}
    for item in collected:
        _check_unknown(item, config)
        for mark in item["marks"]:
            _check(item["id"], mark, config)
            marked.setdefault(mark["names"][0], {})[item["id"]] = mark["blocks"]
    return marked


def _check_unknown(item: Mapping[str, Any], config: Config) -> None:
    """Refuse a marker that is not registered and names a gate."""
    for mark in item["unknown"]:
        for name in mark["names"][:1]:
            if name in config.gates or nearest(name, config.gates):
                raise GateConfigError(
                    f"{item['id']} has the unknown marker {mark['mark']!r} for "
                    f'the gate {name!r}; write @pytest.mark.gate("{name}")'
                )


def _check(test: str, mark: Mapping[str, Any], config: Config) -> None:
    names = mark["names"]
    if len(names) != 1 or mark["wrong"]:
        wrong = ", ".join(mark["wrong"]) or f"{len(names)} names"
        raise GateConfigError(
            f"{test}: the mark gate was given {wrong}; "
            'write @pytest.mark.gate("name", blocks_deployment=True)'
        )
    if names[0] not in config.gates:
        raise GateConfigError(
            f"{test} is marked for the gate {names[0]!r}, which is not configured."
            f"{nearest(names[0], config.gates)} "
            f'Add [tool.coroguard.gates."{names[0]}"] in pyproject.toml'
        )


def _pin(
    name: str, gate: GateConfig, ids: Sequence[str], marked: Mapping[str, bool]
) -> Gate:
    listed = {entry: [i for i in ids if fits(i, entry)] for entry in gate.tests}
    expected = {*marked, *(found for tests in listed.values() for found in tests)}
    blocks = gate.blocks_deployment
    if blocks is None:
        # A marker speaks for its own test alone.
        blocks = not expected or any(marked.get(test, True) for test in expected)
    return Gate(
        name=name,
        title=gate.title,
        rule=gate.rule,
        impact=gate.impact,
        blocks_deployment=blocks,
        category=gate.category or _category([*expected, *gate.tests]),
        expected=tuple(dict.fromkeys(i for i in ids if i in expected)),
        uncollected=tuple(entry for entry, tests in listed.items() if not tests),
        nearest={
            entry: near(entry, ids) for entry, tests in listed.items() if not tests
        },
        minimum=gate.minimum.model_dump(),
        services=tuple(gate.services),
        needs=tuple(gate.needs),
        limit_s=gate.limit_s,
    )


def _category(tests: Iterable[str]) -> str:
    """Read the category from the folders, if all tests agree."""
    found = {
        next((_FOLDERS[p] for p in PurePosixPath(t).parts if p in _FOLDERS), "")
        for t in tests
    }
    only = found.pop() if len(found) == 1 else ""
    return only if only in CATEGORIES else ""
