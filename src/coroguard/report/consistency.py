"""The rules between the fields of a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from .._inspect.awaitables import is_kind
from .._inspect.texts import cut
from .json_values import fields_of

if TYPE_CHECKING:
    from .json_values import Path


def disagreements(fields: dict[str, Any]) -> Iterator[tuple[Path, str, object]]:
    """Yield each contradiction between fields: the path, why, and the value.

    The rules: nothing has failed in a healthy report; ``failed_components`` names
    exactly the components whose status is ``failed``, each once. Values of a
    wrong type are left to the rules of their fields.
    """
    failed, details = fields.get("failed_components"), fields.get("component_details")
    if not is_kind(failed, list):
        return
    if fields.get("healthy") is True and failed:
        yield ("healthy",), "is True, but failed_components is not empty", True
    if is_kind(details, dict):
        yield from _between(cast("list[Any]", failed), cast("dict[Any, Any]", details))


def _between(
    failed: list[Any], details: dict[Any, Any]
) -> Iterator[tuple[Path, str, object]]:
    named: set[str] = set()
    for index, name in enumerate(failed):
        if is_kind(name, str):
            if why := _mistake(name, details, named):
                yield ("failed_components", index), why, name
            named.add(name)
    for name, component in details.items():
        if _status(component) == "failed" and name not in named:
            why = "is 'failed', but failed_components does not name it"
            yield ("component_details", name, "status"), why, component


def _mistake(name: str, details: dict[Any, Any], named: set[str]) -> str:
    """Return why a component should not be named as failed, or ``""``."""
    shown = cut(repr(str.__str__(name)))
    if name in named:
        return f"names {shown} a second time"
    if name not in details:
        return f"names {shown}, which has no entry in component_details"
    status = _status(details[name])
    if status in ("healthy", "degraded"):
        return f"names {shown}, whose status is {status!r}"
    return ""


def _status(component: object) -> str | None:
    """Return the status of a component if it is a text."""
    status: object = None
    if is_kind(component, dict):
        status = dict[Any, Any].get(cast("dict[Any, Any]", component), "status")
    elif is_kind(component, BaseModel):
        status = fields_of(component).get("status")
    return str.__str__(cast("str", status)) if is_kind(status, str) else None
