"""Text for output: without secrets and without control sequences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from pydantic import BaseModel

T = TypeVar("T")

_LONGEST = 20_000
# Controls, marks that change the direction of text, separators of lines, surrogates.
_NOT_PRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff]"
)
# `##[command]` works anywhere in a line on GitHub, `##vso[` on Azure, `##teamcity[`
# on TeamCity. `::command::` works at the start of one on GitHub.
_IN_A_LINE = re.compile(r"##(?=\w*\[)")
_AT_THE_START = re.compile(r"^((?:\x1b\[[\d;]*m|[^\S\n])*)::", re.M)


def clean(text: str) -> str:
    """Return text that steers no terminal and commands no CI runner.

    What cannot be shown is written as an escape. Line breaks stay.
    """
    text = text.replace("\r\n", "\n")
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} ... ({len(text) - _LONGEST} more characters)"
    text = _NOT_PRINTABLE.sub(_escaped, text)
    return without_commands(_IN_A_LINE.sub("# #", text))


def without_commands(text: str) -> str:
    """Return text of which no line begins with ``::``, folded lines included."""
    return _AT_THE_START.sub(r"\1: :", text)


def flat(text: str) -> str:
    """Return text in one line, so that no part of it looks like a line of ours."""
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def each_text(value: T, change: Callable[[str], str]) -> T:
    """Return plain data or records of ours with every text in them changed."""
    return cast("T", _changed(value, change))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case Enum():  # before `str`, which a `StrEnum` is as well
            return value
        case str():
            return change(value)
        case dict():
            return {_changed(k, change): _changed(v, change) for k, v in value.items()}
        case tuple() | list() | frozenset():
            items = cast("Iterable[Any]", value)
            return type(value)(_changed(item, change) for item in items)
        case BaseModel():
            changed = {name: _changed(item, change) for name, item in value}
            return value.model_copy(update=changed)
        case _ if is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in fields(value)]
            return replace(
                value, **{n: _changed(getattr(value, n), change) for n in names}
            )
        case _:
            return value
