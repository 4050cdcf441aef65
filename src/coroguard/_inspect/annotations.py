"""Which classes does a return annotation name, if it can be read for certain?"""

from __future__ import annotations

import ast
import builtins
import types
import typing
from types import ModuleType
from typing import Any

__all__ = ["named_classes"]

_MISSING: Any = object()
_type: Any = type
_UNIONS = (typing.Union, types.UnionType)


def named_classes(annotation: object, names: dict[str, Any]) -> list[type] | None:
    """Return the classes that an annotation offers, ``NoneType`` among them.

    Unlike ``promises.parts`` it gives up where anything is unsure: on type
    variables, ``Any``, and text that leads nowhere.

    Args:
        annotation: An annotation, evaluated or text.
        names: The names of its module, for text.

    Returns:
        The classes; ``None`` where they are not certain.
    """
    found: list[type] = []
    waiting = [annotation]
    for _ in range(100):  # text may name itself
        if not waiting:
            return found
        part = waiting.pop()
        inner = _inside(part, names)
        if inner is not None:
            waiting += inner
        elif part is None:
            found.append(type(None))
        elif issubclass(_type(part), type) and part is not object and part is not Any:
            found.append(part)  # type: ignore[arg-type]
        else:
            return None
    return None


def _inside(part: Any, names: dict[str, Any]) -> list[Any] | None:
    """Return what a union, an alias or a text offers; ``None`` of all else."""
    kind = _type(part)
    if kind is str:
        return _of_text(part, names)
    if kind is typing.ForwardRef:
        return [part.__forward_arg__]
    # Only of Python's own kinds: nobody else's attribute may run here.
    if kind.__module__ not in ("typing", "types"):
        return None
    origin: Any = typing.get_origin(part)
    if any(origin is union for union in _UNIONS):
        return list(typing.get_args(part))
    if origin is typing.Annotated:
        return [part.__origin__]
    if origin is typing.Literal:
        return [type(value) for value in typing.get_args(part)]
    return None if origin is None else [origin]


def _of_text(text: str, names: dict[str, Any]) -> list[Any]:
    try:
        return _of_node(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError):
        return [_MISSING]


def _of_node(node: ast.expr, names: dict[str, Any]) -> list[Any]:
    """Look up what the text of an annotation names; nothing is evaluated."""
    match node:
        case ast.Constant(value=str() | None as value):
            return [value]
        case ast.Name():
            return [names.get(node.id, vars(builtins).get(node.id, _MISSING))]
        case ast.Attribute():
            (base,) = _of_node(node.value, names)[:1]
            if not issubclass(_type(base), ModuleType):
                return [_MISSING]
            found: dict[str, Any] = vars(ModuleType)["__dict__"].__get__(base)
            return [found.get(node.attr, _MISSING)]
        case ast.BinOp(op=ast.BitOr()):
            return _of_node(node.left, names) + _of_node(node.right, names)
        case ast.Subscript():
            return _of_subscript(node, names)
        case _:
            return [_MISSING]


def _of_subscript(node: ast.Subscript, names: dict[str, Any]) -> list[Any]:
    base = _of_node(node.value, names)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if base[0] is typing.Literal:
        return [type(it.value) for it in inner if isinstance(it, ast.Constant)]
    if base[0] is typing.Annotated:
        return _of_node(inner[0], names)
    if base[0] is typing.Optional or base[0] is typing.Union:
        return [part for it in inner for part in _of_node(it, names)]
    return base
