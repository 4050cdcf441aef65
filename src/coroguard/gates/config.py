"""The configuration of a project's gates."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
)

from coroguard._inspect.texts import nearest, render_path
from coroguard._pyproject import UnreadableProjectError, read_table

from .errors import GateConfigError
from .load.config import FaultCommand, LoadConfig, LoadMinimum
from .matrix.config import STRICT, CellMinimum, MatrixConfig
from .paths import base, normal

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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

# A waiver needs a second look; one without a near end is a way around its gate.
_LONGEST_WAIVER = datetime.timedelta(days=366)


class _Table(BaseModel):
    model_config = STRICT


class Minimum(_Table):
    """The least that a gate's tests have to do."""

    scenarios: _Amount = 0
    faults: _Amount = 0
    messages: _Amount = 0
    requests: _Amount = 0
    users: _Amount = 0
    schedules: _Amount = 0


class GateConfig(_Table):
    """One `[tool.coroguard.gates."name"]`."""

    title: str = ""
    rule: str = ""
    impact: str = ""
    tests: list[_Text] = []
    minimum: Minimum = Minimum()
    limit_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 300.0
    blocks_deployment: bool | None = None
    category: Category | None = None
    services: list[_Text] = []
    needs: list[_Text] = []
    load: LoadConfig | None = None


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
    alerts: dict[str, Any] = {}  # read by coroguard.alerts
    paths: list[_Text] = []
    pytest_ini: str = ""
    services: dict[str, str] = {}
    waivers: list[Waiver] = []
    self_test: _Path | list[_Text] | dict[str, list[_Text]] = []
    gates: dict[str, GateConfig] = {}
    matrix: MatrixConfig | None = None
    _base: Path = PrivateAttr(default=Path())

    @property
    def base(self) -> Path:
        """Return the folder that node ids and `tests` are relative to."""
        return self._base

    def based_on(self, root: Path) -> Config:
        """Return it with tests written as pytest writes node ids.

        Args:
            root: The folder that the entries are relative to.
        """
        listed = [entry for gate in self.gates.values() for entry in gate.tests]
        above = base([normal(entry, root) for entry in (*listed, *self.paths)], root)
        gates = {
            name: gate.model_copy(
                update={"tests": [normal(entry, root, above) for entry in gate.tests]}
            )
            for name, gate in self.gates.items()
        }
        based = self.model_copy(update={"gates": gates})
        based._base = above
        return based

    def waiver(self, gate: str) -> Waiver | None:
        """Return the waiver of a gate, if it has one."""
        return next((waiver for waiver in self.waivers if waiver.gate == gate), None)


def load(root: Path, today: datetime.date | None = None) -> Config:
    """Read the configuration of the project that a folder belongs to.

    Args:
        root: The folder that holds `pyproject.toml`.
        today: The day for which waivers are checked; ``None`` is today (UTC).

    Raises:
        GateConfigError: It is missing or wrong; all that is wrong is named.
    """
    file = root / "pyproject.toml"
    if not file.exists():
        raise GateConfigError(_how_to_begin(f"{file} does not exist"))
    try:
        table = read_table(file)
    except UnreadableProjectError as error:
        raise GateConfigError(str(error)) from None
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        wrong = [_line(each) for each in error.errors()]
    else:
        if not config.gates:
            hint = _nearly_named(file)
            raise GateConfigError(_how_to_begin(f"{file} names no gate{hint}"))
        day = today or datetime.datetime.now(datetime.UTC).date()
        wrong = [*_absent(config, root), *_contradictions(config, day)]
        if not wrong:
            return config.based_on(root)
    raise GateConfigError("\n".join(f"{file}: {line}" for line in wrong))


def _nearly_named(file: Path) -> str:
    """Name the table of a file that was probably meant to be ours."""
    document = tomllib.loads(file.read_text("utf-8"))
    tool = document.get("tool")
    tables = {f"tool.{name}": name for name in tool} if isinstance(tool, dict) else {}
    tables |= {name: name for name in document}
    for table, name in tables.items():
        if table != "tool.coroguard" and nearest("coroguard", [name]):
            return f": [{table}] is not read. Did you mean [tool.coroguard]?\nElse"
    return ""


def _how_to_begin(why: str) -> str:
    return f"{why}; paste this into it and name your own tests:\n\n{SNIPPET}"


def _line(error: ErrorDetails) -> str:
    """Describe the fault of a key, in the words of the file."""
    where = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        keys = _keys_at(error["loc"][:-1])
        hint = nearest(str(error["loc"][-1]), keys)
        return f"{where} is not a key.{hint} Keys here: {', '.join(keys)}"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "literal_error":
        hint = nearest(str(error["input"]), CATEGORIES)
        known = ", ".join(CATEGORIES)
        return f"{where} = {error['input']!r} is not one of {known}.{hint}"
    if error["type"] == "value_error":
        return f"{where} = {error['input']!r} {error.get('ctx', {})['error']}"
    return f"{where} = {error['input']!r}: {error['msg']}"


def _place(loc: tuple[int | str, ...]) -> str:
    steps = [part for part in loc if part not in _UNION_TAGS]
    return render_path(steps, root="tool.coroguard")


_UNION_TAGS = ("constrained-str", "list[constrained-str]")


def _keys_at(loc: tuple[int | str, ...]) -> list[str]:
    match loc:
        case ():
            table: type[BaseModel] = Config
        case ("waivers", *_):
            table = Waiver
        case ("matrix", "minimum"):
            table = CellMinimum
        case ("matrix",):
            table = MatrixConfig
        case ("gates", _, "load", "minimum"):
            table = LoadMinimum
        case ("gates", _, "load", "faults", _):
            table = FaultCommand
        case ("gates", _, "load"):
            table = LoadConfig
        case (*_, "minimum"):
            table = Minimum
        case _:
            table = GateConfig
    return list(table.model_fields)


def _absent(config: Config, root: Path) -> Iterator[str]:
    if config.pytest_ini and not (root / config.pytest_ini).is_file():
        yield f"tool.coroguard.pytest_ini = {config.pytest_ini!r} does not exist"


def _contradictions(config: Config, today: datetime.date) -> Iterator[str]:
    names = list(config.gates)
    for index, waiver in enumerate(config.waivers):
        where = f"tool.coroguard.waivers[{index}]"
        if waiver.gate not in names:
            hint = nearest(waiver.gate, names)
            yield f"{where} names {waiver.gate!r}, which is not a gate.{hint}"
        if waiver.until < today:
            yield (
                f"{where} for the gate {waiver.gate!r} expired on {waiver.until}; "
                "remove it, or give it a new reason and a new date"
            )
        elif waiver.until > today + _LONGEST_WAIVER:
            yield (
                f"{where} for the gate {waiver.gate!r} runs until {waiver.until}; "
                f"a waiver ends within {_LONGEST_WAIVER.days} days"
            )
    for name, gate in config.gates.items():
        if not name.strip() or not name.isprintable():
            yield f"tool.coroguard.gates: {name!r} cannot be shown as a name"
        yield from _wrong_names(name, gate, config, names)
    if config.matrix:
        yield from config.matrix.mistakes()
    if isinstance(config.self_test, dict):
        for fault, gates in config.self_test.items():
            for unknown in set(gates) - set(names):
                hint = nearest(unknown, names)
                where = render_path(["self_test", fault], root="tool.coroguard")
                yield (f"{where} names {unknown!r}, which is not a gate.{hint}")


def _wrong_names(
    name: str, gate: GateConfig, config: Config, names: list[str]
) -> Iterator[str]:
    where = render_path(["gates", name], root="tool.coroguard")
    earlier = names[: names.index(name)]
    for need in gate.needs:
        if need not in earlier:
            hint = nearest(need, earlier)
            yield f"{where}.needs: {need!r} is not a gate before this one.{hint}"
    for service in gate.services if config.services else ():
        if service not in config.services:
            hint = nearest(service, config.services)
            table = "tool.coroguard.services"
            yield f"{where}.services: {service!r} is not in {table}.{hint}"
