"""Replay tokens: the decisions of one run, in a text to copy."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .policies import usage_error, validate

_SHAPE = re.compile(r"([a-z0-9._-]+)\.([0-9a-f]{4})\.([0-9a-f]{8})", re.ASCII)
_SEED = re.compile(r"([a-z]+[0-9]*)\.s([0-9]{1,18})\.k([0-9]{1,9})", re.ASCII)
_DECISION = re.compile(r"([cf])([0-9]{1,9})-([0-9]{1,4})", re.ASCII)
_PLAIN = "fifo"
#: The test part of a token that belongs to no test of pytest.
NO_TEST = "0000"


@dataclass(frozen=True, slots=True)
class Seed:
    """The decisions that a policy makes of a seed.

    Args:
        policy: The name of the policy.
        number: The seed; 0 is asyncio's own order, without faults.
        length: The choices of a run in asyncio's own order, which PCT needs.
    """

    policy: str
    number: int
    length: int = 0

    def __str__(self) -> str:
        return f"{self.policy}.s{self.number}.k{self.length}"


@dataclass(frozen=True, slots=True)
class Script:
    """Decisions, one by one; all others are asyncio's own.

    Args:
        choices: The index of the step that is next, by the number of the choice.
        faults: The index of the fault that happens, by the number of the await.
    """

    choices: Mapping[int, int] = field(default_factory=dict[int, int])
    faults: Mapping[int, int] = field(default_factory=dict[int, int])

    def __str__(self) -> str:
        decisions = [f"c{point}-{index}" for point, index in self.choices.items()]
        decisions += [f"f{point}-{index}" for point, index in self.faults.items()]
        return ".".join(decisions) or _PLAIN

    def __len__(self) -> int:
        return len(self.choices) + len(self.faults)


Recipe: TypeAlias = Seed | Script


def digest(test: str) -> str:
    """Return the part of a token that names its test."""
    return f"{zlib.crc32(test.encode()) % 0xFFFF + 1:04x}"


def encode(recipe: Recipe, test: str = "") -> str:
    """Return the token of a run.

    Args:
        recipe: Its decisions.
        test: The node id of its test in pytest; empty elsewhere.
    """
    body = f"{recipe}.{digest(test) if test else NO_TEST}"
    return f"{body}.{zlib.crc32(body.encode()):08x}"


def decode(token: object) -> tuple[Recipe, str]:
    """Return the decisions that a token holds, and the digest of its test.

    Raises:
        GuardUsageError: It is not a token, or parts of it are missing or changed.
    """
    found = _SHAPE.fullmatch(token) if isinstance(token, str) else None
    if found is None:
        raise usage_error(
            f"{_shown(token)} is not a replay token; copy it from the line replay: "
            "of the failure, such as c12-1.9a3f.1c291ca3"
        )
    body, test, checksum = found.groups()
    if f"{zlib.crc32(f'{body}.{test}'.encode()):08x}" != checksum:
        raise usage_error(
            f"the replay token {_shown(token)} is incomplete or was changed: its "
            "checksum does not match; copy all of it"
        )
    return _recipe(body, token), test


def _recipe(body: str, token: object) -> Recipe:
    if seed := _SEED.fullmatch(body):
        policy, number, length = seed.groups()
        return Seed(validate(policy), int(number), int(length))
    if body == _PLAIN:
        return Script()
    decisions: dict[str, dict[int, int]] = {"c": {}, "f": {}}
    for part in body.split("."):
        decision = _DECISION.fullmatch(part)
        if decision is None:
            raise usage_error(
                f"the replay token {_shown(token)} has the part {part!r}, which this "
                "version does not know; replay it with the version that printed it"
            )
        kind, point, index = decision.groups()
        decisions[kind][int(point)] = int(index)
    return Script(decisions["c"], decisions["f"])


def _shown(token: object) -> str:
    text = repr(token)
    return text if len(text) <= 80 else f"{text[:60]}…"
