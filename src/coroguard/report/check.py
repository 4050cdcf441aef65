"""The check of any value against the models of a report."""

import gc
from types import MappingProxyType
from typing import Any, cast

from pydantic import ValidationError

from .._inspect.awaitables import is_kind
from .fast_path import is_plain_report
from .json_values import (
    MAPPINGS,
    Path,
    awaitables,
    fields_of,
    items_of,
    noun,
)
from .models import ComponentHealth, HealthReport, Record
from .violations import described, line


def check_report(value: object, model: type[HealthReport] = HealthReport) -> list[str]:
    """Return everything that keeps a value from being a right report.

    Nothing is awaited, changed or raised, and no code of the value is called,
    except the validators of a subclass of ``HealthReport``.

    Args:
        value: Any object. A mapping of built-in type, also behind a
            ``MappingProxyType``, or an instance can be right; an instance of a
            subclass is judged by its own class.
        model: The class to judge a mapping by.

    Returns:
        One line for each violation, path first. Empty for a right report, in
        which there is no awaitable then, at any depth.
    """
    if model is HealthReport and is_plain_report(value):
        return []
    if is_kind(value, MappingProxyType):
        value = gc.get_referents(value)[0]  # reading it may be anybody's code
    if not is_kind(value, *MAPPINGS, model):
        return [line((), f"should be a dict or a {model.__name__}, got {noun(value)}")]
    is_instance = is_kind(value, model)
    judge = cast("type[HealthReport]", type(value)) if is_instance else model
    faults = _faults(value, judge)
    for path, item in awaitables(value, Record):
        faults.setdefault(path, f"should not be awaitable, got {noun(item)}")
    return [line(path, text) for path, text in faults.items()]


def _faults(value: Any, model: type[HealthReport]) -> dict[Path, str]:
    """Validate a mapping or an instance; return the faults, by path."""
    strangers: dict[Path, str] = {}
    fields = dict(items_of(value)) if is_kind(value, *MAPPINGS) else fields_of(value)
    faults: dict[Path, str] = {}
    try:
        model.__pydantic_validator__.validate_python(_admitted(fields, strangers))
    except ValidationError as error:
        for it in error.errors(include_url=False):
            before = faults.get(it["loc"])
            faults[it["loc"]] = (
                f"{before}; {described(it)}" if before else described(it)
            )
    except Exception as error:
        faults[()] = f"could not be judged, a validator raised {noun(error)}"
    return faults | strangers


def _admitted(fields: dict[Any, Any], strangers: dict[Path, str]) -> dict[str, Any]:
    """Return a copy without objects whose code pydantic would run."""
    admitted = _named(fields, (), strangers)
    if not is_kind(admitted.get("component_details"), *MAPPINGS):
        return admitted
    details = _named(admitted["component_details"], ("component_details",), strangers)
    for name, component in details.items():
        path = ("component_details", name)
        if is_kind(component, *MAPPINGS):
            details[name] = _named(component, path, strangers)
        elif not is_kind(component, ComponentHealth):
            details[name] = None
            why = f"should be a dict or a ComponentHealth, got {noun(component)}"
            strangers[path] = why
    return admitted | {"component_details": details}


def _named(fields: object, path: Path, strangers: dict[Path, str]) -> dict[str, Any]:
    """Copy a mapping without the keys that are not text."""
    named: dict[str, Any] = {}
    for key, item in items_of(fields):
        if is_kind(key, str):
            named[key] = item
        else:
            why = f"should be a str as key, got {noun(key)}"
            strangers[(*path, f"<{noun(key)}>")] = why
    return named
