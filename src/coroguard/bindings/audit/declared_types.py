"""Types that the source writes down for parameters, variables and attributes."""

from __future__ import annotations

import ast
import collections.abc
import sys
import types
import typing
from types import NoneType
from typing import TYPE_CHECKING, Any, cast

from ..._inspect.annotations import annotations_of
from ..._inspect.attributes import mro, namespace, own_dict
from ..._inspect.promises import named_classes

if TYPE_CHECKING:
    from .scopes import Source


def declared_class(annotation: object, names: dict[str, Any]) -> type | None:
    """Return the only class that an annotation names, ``None`` beside it or not.

    Args:
        annotation: An annotation: syntax, text, or evaluated.
        names: The names of its module.
    """
    if isinstance(annotation, ast.expr):
        annotation = ast.unparse(annotation)
    classes = named_classes(annotation, names) or []
    found = [cls for cls in classes if cls is not NoneType]
    return found[0] if len(found) == 1 else None


def class_of_parameter(node: ast.AST, name: str, names: dict[str, Any]) -> type | None:
    """Return the class that a function declares for one of its parameters."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in arguments:
        if argument.arg == name and argument.annotation is not None:
            return declared_class(argument.annotation, names)
    return None


def class_of_variable(
    target: ast.AST, source: Source, names: dict[str, Any]
) -> type | None:
    """Return the class that an annotated assignment declares for its target."""
    statement = source.parents.get(target)
    if not isinstance(statement, ast.AnnAssign) or statement.target is not target:
        return None
    return declared_class(statement.annotation, names)


def class_of_attribute(cls: type, name: str) -> type | None:
    """Return the class that a class statement declares for an attribute."""
    for base in mro(cls):
        annotations = annotations_of(base, only=name)
        if name in annotations:
            module = sys.modules.get(str(own_dict(base).get("__module__")))
            return declared_class(annotations[name], namespace(module))
    return None


def callable_result(annotation: object, names: dict[str, Any]) -> list[type] | None:
    """Return the classes of the result of a declared ``Callable[..., bool]``.

    Returns:
        The classes; ``None`` where the annotation is not one callable, or does not
        name the classes for certain.
    """
    if isinstance(annotation, str):
        try:
            return _text_result(ast.parse(annotation, mode="eval").body, names)
        except (SyntaxError, ValueError):
            return None
    origin = typing.get_origin(annotation)
    if origin is collections.abc.Callable:
        return named_classes(typing.get_args(annotation)[-1], names)
    if origin in (typing.Union, types.UnionType):
        found = [callable_result(it, names) for it in typing.get_args(annotation)]
        known = [it for it in found if it is not None]
        return known[0] if len(known) == 1 else None
    return None


def _text_result(node: ast.expr, names: dict[str, Any]) -> list[type] | None:
    match node:
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[_, result])):
            is_callable = ast.unparse(value).rpartition(".")[2] == "Callable"
            return named_classes(ast.unparse(result), names) if is_callable else None
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            found = [_text_result(it, names) for it in (left, right)]
            known = [it for it in found if it is not None]
            return known[0] if len(known) == 1 else None
        case ast.Subscript(value=value, slice=inner):
            is_optional = ast.unparse(value).rpartition(".")[2] == "Optional"
            return _text_result(inner, names) if is_optional else None
        case _:
            return None


def result_class(function: Any) -> type | None:
    """Return the class of the result of an asyncio function, which declares none."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    if any(function is it for it in task_starters()):
        return cast("type", asyncio.Task)
    loops = ("get_running_loop", "get_event_loop", "new_event_loop")
    if any(function is getattr(asyncio, name) for name in loops):
        return cast("type", asyncio.AbstractEventLoop)
    return None


def task_starters() -> tuple[Any, ...]:
    """Return the functions of asyncio that start a task, if it is imported."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:
        return ()
    loop = asyncio.AbstractEventLoop
    return asyncio.create_task, asyncio.ensure_future, loop.create_task
