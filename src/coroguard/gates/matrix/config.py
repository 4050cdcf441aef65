"""The table ``[tool.coroguard.matrix]``."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
)

from coroguard._inspect.texts import nearest

from ..environment import may_be_set
from .combinations import Settings, every_cell

#: Unknown keys and wrong types of a table are refused.
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
MODES = ("off", "observe", "enforce", "strict")
LOOPS = ("asyncio", "uvloop")
#: The choices of the option ``--matrix``; without a value it is the first.
KINDS = ("as configured", "pairwise", "full")
#: The variables of each flag: unlike options, the processes of a test inherit them.
FLAGS: dict[str, dict[str, str]] = {
    "": {},
    "-O": {"PYTHONOPTIMIZE": "1"},
    "-OO": {"PYTHONOPTIMIZE": "2"},
    "-X dev": {"PYTHONDEVMODE": "1"},
    "asyncio debug": {"PYTHONASYNCIODEBUG": "1"},
}

#: ``True`` is the value outside the matrix, ``False`` is unset.
Value: TypeAlias = str | bool


def _distinct(values: list[Any]) -> list[Any]:
    if len(values) != len({(type(value), value) for value in values}):
        raise ValueError("a value is listed twice")
    return values


def _known(*words: str) -> AfterValidator:
    def check(word: str) -> str:
        if word not in words:
            hint = nearest(word, words)
            known = ", ".join(map(repr, words))
            raise ValueError(f"is not one of {known}.{hint}")
        return word

    return AfterValidator(check)


def _settable(name: str) -> str:
    if not may_be_set(name):
        raise ValueError(
            "cannot be an axis: it decides how Python, pytest or coroguard itself "
            "runs. For these there are the axes mode, loop, flags and python"
        )
    return name


def _interpreter(value: str) -> str:
    if "/" not in value and not re.fullmatch(r"\d+\.\d+t?", value):
        raise ValueError(
            "is not an interpreter; write a version such as '3.13', or the path of "
            "one such as '.venv-3.13/bin/python'"
        )
    return value


def _installable(value: Value) -> Value:
    if value is False or (isinstance(value, str) and not value.strip()):
        raise ValueError(
            "is not a version; write one such as '2.10', or true for the version "
            "that is installed"
        )
    return value


def _value(value: Any) -> Value:
    if not isinstance(value, str | bool):
        raise ValueError("is not a text, true (as it is here) or false (unset)")
    return value


_Value = Annotated[Value, PlainValidator(_value)]
_Version = Annotated[_Value, AfterValidator(_installable)]
_Values = Annotated[list[_Value], Field(min_length=1), AfterValidator(_distinct)]
_Versions = Annotated[list[_Version], Field(min_length=1), AfterValidator(_distinct)]
_Words = AfterValidator(_distinct)
_Mode = Annotated[str, _known(*MODES)]
_Loop = Annotated[str, _known(*LOOPS)]
_Flag = Annotated[str, _known(*FLAGS)]
_Python = Annotated[str, AfterValidator(_interpreter)]
_Variable = Annotated[str, AfterValidator(_settable)]


class _Table(BaseModel):
    model_config = STRICT


class CellMinimum(_Table):
    """The least that the matrix has to do."""

    cells: Annotated[int, Field(ge=0)] = 0


class MatrixConfig(_Table):
    """The axes, each with its values; the first of each is the base cell's."""

    mode: Annotated[list[_Mode], _Words] = []
    loop: Annotated[list[_Loop], _Words] = []
    flags: Annotated[list[_Flag], _Words] = []
    python: Annotated[list[_Python], _Words] = []
    env: dict[_Variable, _Values] = {}
    installed: dict[str, _Versions] = {}
    exclude: list[dict[str, _Value]] = []
    full: bool = False
    narrow: Annotated[int, Field(ge=0)] = 10
    minimum: CellMinimum = CellMinimum()

    @property
    def axes(self) -> dict[str, list[Value]]:
        """Return the values of each axis that has any, in a fixed order."""
        plain: dict[str, list[Value]] = {
            "mode": [*self.mode],
            "loop": [*self.loop],
            "flags": [*self.flags],
            "python": [*self.python],
        }
        every = plain | self.env | self.installed
        return {axis: values for axis, values in every.items() if values}

    def mistakes(self) -> list[str]:
        """Return the contradictions between values that are valid by themselves."""
        where = "tool.coroguard.matrix"
        found = [
            f"{where}: {name!r} names two axes"
            for name in [*self.env, *self.installed]
            if name in ("mode", "loop", "flags", "python")
            or (name in self.env and name in self.installed)
        ]
        axes = self.axes
        if not axes:
            return [f"{where} has no axis; give it mode, loop, flags or env"]
        for number, cell in enumerate(self.exclude):
            for axis, value in cell.items():
                if axis not in axes:
                    hint = nearest(axis, axes)
                    found.append(
                        f"{where}.exclude[{number}]: {axis!r} is not an axis.{hint}"
                    )
                elif value not in axes[axis]:
                    found.append(
                        f"{where}.exclude[{number}]: {value!r} is not a value of "
                        f"{axis!r}"
                    )
        if not found and next(every_cell(self.sizes, self.excluded), None) is None:
            found.append(f"{where}.exclude leaves no cell")
        return found

    @property
    def sizes(self) -> list[int]:
        """Return how many values each axis has."""
        return [len(values) for values in self.axes.values()]

    @property
    def excluded(self) -> list[Settings]:
        """Return the settings that no cell has together, by position."""
        names, axes = list(self.axes), self.axes
        return [
            frozenset((names.index(it), axes[it].index(cell[it])) for it in cell)
            for cell in self.exclude
        ]
