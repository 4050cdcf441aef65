"""Which gates does a project expect, and is that written down rightly?"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from coroguard._leaks.errors import nearest
from coroguard._pyproject import UnreadableProjectError, read_table

from .errors import GateConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = ["CATEGORIES", "Category", "Config", "GateConfig", "Waiver", "load"]

Category = Literal["unit", "integration", "critical"]
CATEGORIES: tuple[Category, ...] = get_args(Category)

SNIPPET = """\
[tool.coroguard.gates."health report"]
rule = "check_health() returns a report, never a coroutine"
impact = "every connection fails"
tests = ["tests/test_health.py"]
minimum = { scenarios = 1 }
"""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Path = Annotated[str, StringConstraints(pattern=r"^[\w.]+:[\w.]+$")]
_Amount = Annotated[int, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Minimum(_Table):
    """The least that a gate's tests have to do."""

    scenarios: _Amount = 0
    faults: _Amount = 0
    messages: _Amount = 0
    users: _Amount = 0


class GateConfig(_Table):
    """One `[tool.coroguard.gates."name"]`."""

    title: str = ""
    rule: str = ""
    impact: str = ""
    tests: list[_Text] = []
    minimum: Minimum = Minimum()
    limit_s: Annotated[float, Field(gt=0)] = 300.0
    blocks_deployment: bool | None = None
    category: Category | None = None
    services: list[_Text] = []
    needs: list[_Text] = []


class Waiver(_Table):
    """A gate that may be red until a day, for a reason."""

    gate: str
    reason: _Text
    until: datetime.date


class Config(_Table):
    """The table `[tool.coroguard]`."""

    guarded: list[_Path] = []
    protect: list[_Text | dict[str, Any]] = []
    exclude: list[_Text] = []
    paths: list[_Text] = []
    services: dict[str, str] = {}
    waivers: list[Waiver] = []
    self_test: _Path | list[_Text] | dict[str, list[_Text]] = []
    gates: dict[str, GateConfig] = {}

    def waiver(self, gate: str) -> Waiver | None:
        """Return the waiver of a gate, if it has one."""
        return next((waiver for waiver in self.waivers if waiver.gate == gate), None)


def load(root: Path, today: datetime.date | None = None) -> Config:
    """Read the configuration of the project that a folder belongs to.

    Args:
        root: The folder that holds `pyproject.toml`.
        today: The day that waivers are held against; `None` is today (UTC).

    Raises:
        GateConfigError: There is none, or it is wrong; all that is wrong is named.
    """
    file = root / "pyproject.toml"
    if not file.exists():
        raise GateConfigError(_how_to_begin(f"{file} does not exist"))
    try:
        table = read_table(file)
    except UnreadableProjectError as error:
        raise GateConfigError(str(error)) from None
    if not table.get("gates"):
        raise GateConfigError(_how_to_begin(f"{file} names no gate"))
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        wrong = [_say(each) for each in error.errors()]
    else:
        day = today or datetime.datetime.now(datetime.UTC).date()
        wrong = list(_contradictions(config, day))
        if not wrong:
            return config
    raise GateConfigError("\n".join(f"{file}: {line}" for line in wrong))


def _how_to_begin(why: str) -> str:
    return f"{why}; paste this into it and name your own tests:\n\n{SNIPPET}"


def _say(error: ErrorDetails) -> str:
    """Say what is wrong with a key, in the words of the file."""
    where = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        known = _keys_at(error["loc"][:-1])
        hint = nearest(str(error["loc"][-1]), known)
        return f"{where} is not a key.{hint} Keys here: {', '.join(known)}"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "literal_error":
        hint = nearest(str(error["input"]), CATEGORIES)
        return f"{where} = {error['input']!r} is none of {', '.join(CATEGORIES)}.{hint}"
    return f"{where} = {error['input']!r}: {error['msg']}"


def _place(loc: tuple[int | str, ...]) -> str:
    path = "tool.coroguard"
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier():
            path += f".{part}"
        elif part not in _UNION_TAGS:
            path += f'."{part}"'
    return path


_UNION_TAGS = ("constrained-str", "list[constrained-str]")


def _keys_at(loc: tuple[int | str, ...]) -> list[str]:
    match loc:
        case ():
            table: type[_Table] = Config
        case ("waivers", *_):
            table = Waiver
        case (*_, "minimum"):
            table = Minimum
        case _:
            table = GateConfig
    return list(table.model_fields)


def _contradictions(config: Config, today: datetime.date) -> Iterator[str]:
    names = list(config.gates)
    for index, waiver in enumerate(config.waivers):
        where = f"tool.coroguard.waivers[{index}]"
        if waiver.gate not in names:
            hint = nearest(waiver.gate, names)
            yield f"{where} names {waiver.gate!r}, which is no gate.{hint}"
        if waiver.until < today:
            yield (
                f"{where} for the gate {waiver.gate!r} expired on {waiver.until}; "
                "remove it, or give it a new reason and a new date"
            )
    for name, gate in config.gates.items():
        yield from _wrong_names(name, gate, config, names)
    if isinstance(config.self_test, dict):
        for fault, gates in config.self_test.items():
            for unknown in set(gates) - set(names):
                hint = nearest(unknown, names)
                yield (
                    f"tool.coroguard.self_test.{fault} names {unknown!r}, "
                    f"which is no gate.{hint}"
                )


def _wrong_names(
    name: str, gate: GateConfig, config: Config, names: list[str]
) -> Iterator[str]:
    where = f'tool.coroguard.gates."{name}"'
    earlier = names[: names.index(name)]
    for need in gate.needs:
        if need not in earlier:
            hint = nearest(need, earlier)
            yield f"{where}.needs: {need!r} is no gate that stands before it.{hint}"
    for service in gate.services if config.services else ():
        if service not in config.services:
            hint = nearest(service, config.services)
            table = "tool.coroguard.services"
            yield f"{where}.services: {service!r} is not in {table}.{hint}"
