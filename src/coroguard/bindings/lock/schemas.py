"""The demands of a contract, in lines that change only when it does."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from ...report.models import HealthReport

if TYPE_CHECKING:
    from ..._guard.contracts import Contract

_ROOT = "$"
_OPTIONAL = "may be missing"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# Titles, descriptions, defaults and examples may change without any value being
# right or wrong for it.
_LIMITS = (
    *("format", "pattern", "minimum", "exclusiveMinimum", "maximum"),
    *("exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems"),
    *("maxItems", "uniqueItems", "minProperties", "maxProperties"),
)


def contract_name(contract: Contract) -> str:
    """Return a contract's name, the same for each guard with the same contract.

    Classes are named with their module: two of one name are two contracts.
    """
    if contract.is_report:
        return "HealthReport"
    return "Any" if contract.is_open else type_text(contract.type)


def schema_of(contract: Contract) -> dict[str, str]:
    """Return the requirements of a contract, by path.

    Returns:
        A text by path, such as ``component_details.*``; ``$`` is the value
        itself, ``*`` any key, ``[]`` any item, ``#Name`` a model inside, listed
        once. Empty where everything is right, or where the type is not one that
        pydantic can describe.
    """
    if contract.is_open:
        return {}
    try:
        adapter = TypeAdapter(HealthReport if contract.is_report else contract.type)
        schema = adapter.json_schema(schema_generator=_Schema)
    except Exception:  # a type of typeguard's; its name is all that is known
        return {}
    models: dict[str, Any] = schema.get("$defs", {})
    told = [*_lines(schema, _ROOT)]
    for name, model in models.items():
        told += _lines(model, f"#{name}")
    return _merged(told)


def type_text(annotation: Any) -> str:
    """Write a type as text, the same on each machine and Python."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is None or annotation is types.NoneType:
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):
        return f"[{_joined(typing.cast('list[object]', annotation))}]"
    if origin is typing.Annotated:
        return type_text(arguments[0])
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is typing.Union or origin is types.UnionType:
        return " | ".join(map(type_text, arguments))
    if origin is not None:
        held = f"[{_joined(arguments)}]" if arguments else ""
        return f"{type_text(origin)}{held}"
    if isinstance(annotation, type):
        module, name = annotation.__module__, annotation.__qualname__
        return name if module in ("builtins", "typing") else f"{module}.{name}"
    named = getattr(annotation, "__forward_arg__", None) or str(annotation)
    return _ADDRESS.sub("", named.removeprefix("typing."))


def _joined(arguments: Any) -> str:
    return ", ".join(map(type_text, arguments))


class _Schema(GenerateJsonSchema):
    """A schema that names types without a JSON equivalent, instead of failing."""

    def handle_invalid_for_json_schema(
        self,
        schema: Any,
        error_info: str,  # noqa: ARG002 - pydantic's
    ) -> dict[str, Any]:
        kind = schema.get("cls")
        return {"type": schema["type"] if kind is None else type_text(kind)}

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Warn of nothing: a default that is not JSON is not written anyway."""


def _merged(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the requirements of alternatives at one path, without empty ones."""
    texts: dict[str, set[str]] = {}
    for path, text in told:
        texts.setdefault(path, set()).add(text)
    merged: dict[str, str] = {}
    for path in sorted(texts):
        merged[path] = " | ".join(sorted(texts[path] - {_OPTIONAL}))
        if _OPTIONAL in texts[path]:
            merged[path] += f", {_OPTIONAL}"
    for path in [path for path, text in merged.items() if text in ("array", "object")]:
        # A root's fields have their own names.
        below = (f"{path}.", f"{path}[") if path != _ROOT else ("",)
        if any(other != path and other.startswith(below) for other in merged):
            del merged[path]
    return merged


def _lines(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of a node and of all below it."""
    for word in ("anyOf", "oneOf", "allOf"):
        if word in node:
            for alternative in node[word]:
                yield from _lines(alternative, path)
            return
    yield path, _text(node)
    start = "" if path == _ROOT else f"{path}."
    required = node.get("required", ())
    for name, child in node.get("properties", {}).items():
        yield from _lines(child, f"{start}{name}")
        if name not in required:
            yield f"{start}{name}", _OPTIONAL
    if node.get("additionalProperties") not in (None, {}, True, False):
        yield from _lines(node["additionalProperties"], f"{start}*")
    for key, child in node.get("patternProperties", {}).items():
        yield from _lines(child, f"{start}/{key}/")
    for number, child in enumerate(node.get("prefixItems", ())):
        yield from _lines(child, f"{path}[{number}]")
    if node.get("items"):
        yield from _lines(node["items"], f"{path}[]")


def _text(node: Mapping[str, Any]) -> str:
    """Return the requirements of a node on its own value."""
    if "const" in node:
        return repr(node["const"])
    if "enum" in node:
        return " | ".join(sorted(map(repr, node["enum"])))
    kind = str(node.get("$ref", node.get("type", "any")))
    said = [kind.replace("#/$defs/", "#")]
    said += [f"{limit} {node[limit]}" for limit in _LIMITS if limit in node]
    if kind == "object":
        others = node.get("additionalProperties")
        said += ["no other fields"] if others is False else []
        said += ["other fields allowed"] if others in ({}, True) else []
    return ", ".join(said)
