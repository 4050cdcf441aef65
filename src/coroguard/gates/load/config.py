"""The table ``load`` of a gate: a run under load and its requirements."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    model_validator,
)

from ..matrix.config import STRICT

#: Seconds of the run that have to be left after a fault and its recovery: a fault
#: begins and ends up to a second late, and requests are counted by whole seconds.
AFTER_S = 3.0

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Milliseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]


def _address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("is not an address; write one such as 'http://127.0.0.1:8000'")
    return url


_Url = Annotated[str, AfterValidator(_address)]


class _Table(BaseModel):
    model_config = STRICT


class LoadMinimum(_Table):
    """The least that a run has to do to prove anything; 0 users means all of them."""

    requests: Annotated[int, Field(ge=1)] = 1
    users: _Count = 0


class FaultCommand(_Table):
    """A fault of two shell commands, in seconds since all users are there."""

    name: _Text = "fault"
    begin: _Text
    end: _Text
    at_s: _Seconds
    for_s: _Seconds


class LoadConfig(_Table):
    """One `[tool.coroguard.gates."name".load]`."""

    file: _Text = "loadfile.py"
    host: _Url | None = None
    users: Annotated[int, Field(ge=1)] = 50
    spawn_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    duration_s: _Seconds = 30.0
    processes: _Count = 0
    minimum: LoadMinimum = LoadMinimum()
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    p95_ms: dict[str, _Milliseconds] = {}
    p99_ms: dict[str, _Milliseconds] = {}
    metrics: _Url | None = None
    leaks: _Count = 0
    faults: list[FaultCommand] = []
    recovery_s: _Seconds = 10.0
    report_html: str = ""
    report_json: str = ""

    @model_validator(mode="after")
    def _leaves_time_after_the_faults(self) -> Self:
        for fault in self.faults:
            needed = fault.at_s + fault.for_s + self.recovery_s + AFTER_S
            if needed > self.duration_s:
                raise ValueError(
                    f"duration_s = {self.duration_s:g} leaves no time after the fault "
                    f"{fault.name!r} and its recovery; make it at least {needed:g}"
                )
        return self

    @property
    def limits(self) -> dict[tuple[str, int], float]:
        """Return the limits in milliseconds by name and percent; ``*`` is all."""
        limits = {(name, 95): limit for name, limit in self.p95_ms.items()}
        return limits | {(name, 99): limit for name, limit in self.p99_ms.items()}
