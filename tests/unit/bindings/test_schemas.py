"""A contract's schema changes when what it demands does, and else never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import pytest
from pydantic import BaseModel, ConfigDict, Field

from coroguard import HealthReport
from coroguard._guard.contracts import contract_for
from coroguard.bindings.lock.schemas import contract_name, schema_of, type_text


class Pool(BaseModel):
    """A pool.

    Its description is not part of the contract.
    """

    size: Annotated[int, Field(ge=1, title="How many", examples=[3])]
    name: str = "main"
    parent: Pool | None = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    state: Literal["up", "down"]
    hook: Callable[[int], str]
    other: Plain


class Plain:
    pass


class Named(Protocol):
    name: str


@dataclass
class Row:
    cells: list[int]
    pair: tuple[int, str]


POOL = {
    "#Pool.name": "string, may be missing",
    "#Pool.parent": "#Pool | null, may be missing",
    "#Pool.size": "integer, minimum 1",
}


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (bool, {"$": "boolean"}),
        (list[int] | None, {"$": "array | null", "$[]": "integer"}),
        (dict[str, float], {"*": "number"}),
        (Pool, {"$": "#Pool", **POOL}),
        (list[Pool], {"$[]": "#Pool", **POOL}),
        (
            Closed,
            {
                "$": "object, no other fields",
                "hook": "callable",
                "other": f"{__name__}.Plain",
                "state": "'down' | 'up'",
            },
        ),
        (
            Row,
            {
                "cells[]": "integer",
                "pair": "array, minItems 2, maxItems 2",
                "pair[0]": "integer",
                "pair[1]": "string",
            },
        ),
        (Plain, {}),
        (Any, {}),
    ],
    ids=[
        *("scalar", "optional", "mapping", "model", "models", "closed", "dataclass"),
        *("stranger", "open"),
    ],
)
def test_schema(type_: Any, expected: dict[str, str]) -> None:
    """Each leaf is one line; titles, defaults and descriptions are left out."""
    assert schema_of(contract_for(type_)) == expected


def test_schema_of_the_report() -> None:
    """The schema of a report names the fields of its components too."""
    schema = schema_of(contract_for(HealthReport))
    assert schema["healthy"] == "boolean"
    assert schema["component_details.*"] == "#ComponentHealth"
    assert schema["#ComponentHealth.status"] == "'degraded' | 'failed' | 'healthy'"


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (HealthReport, "HealthReport"),
        (Any, "Any"),
        (bool, "bool"),
        (Pool, f"{__name__}.Pool"),
        (dict[str, Pool], f"dict[str, {__name__}.Pool]"),
        (Named, f"{__name__}.Named"),
    ],
    ids=["report", "open", "builtin", "class", "generic", "protocol"],
)
def test_contract_name(type_: Any, expected: str) -> None:
    """A contract is named by its type, classes with their module."""
    contract = contract_for(type_)
    assert contract_name(contract) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (None, "None"),
        (int | None, "int | None"),
        (Annotated[int, lambda value: value], "int"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Callable[[int, str], bool], "collections.abc.Callable[[int, str], bool]"),
        (Callable[..., bool], "collections.abc.Callable[..., bool]"),
        (Any, "Any"),
    ],
    ids=["none", "union", "metadata", "literal", "callable", "any callable", "any"],
)
def test_type_text(annotation: Any, expected: str) -> None:
    """A type's text holds no address and no spelling of one Python's own."""
    assert type_text(annotation) == expected
