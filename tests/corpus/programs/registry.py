"""The table of correct programs: each tempts a guard to cry wolf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: list[Callable[..., Any]] = []


def program(function: Callable[..., Any]) -> Callable[..., Any]:
    """Enter a program; it is given `guard` and puts it where a user would."""
    PROGRAMS.append(function)
    return function


async def probe(name: str = "redis") -> str:
    return name
