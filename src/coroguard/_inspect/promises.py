"""Does an annotation promise an awaitable to its reader?"""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from collections.abc import AsyncIterable, Iterator
from functools import partial
from typing import Any, Self

from .awaitables import is_builtin, static_type_attribute

__all__ = [
    "WORDS",
    "awaited_type",
    "field_annotation",
    "field_promises",
    "mentions",
    "parts",
    "promises",
]
__all__ += ["return_annotation"]

#: The names of what is awaited, or iterated or entered so, in annotations.
WORDS = frozenset(
    (
        "Awaitable",
        "Coroutine",
        "CoroutineType",
        "Task",
        "Future",
        "AsyncGenerator",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncContextManager",
        "AbstractAsyncContextManager",
    )
)
_MARKS = ("__await__", "__anext__", "__aiter__", "__aenter__")
_ALTERNATIVES = ("Optional", "Union", "Annotated")


def promises(annotation: object, value: object) -> bool:
    """Say whether ``annotation`` allows this very awaitable as the value.

    ``Any`` and ``object`` allow everything and promise nothing. Text that
    could not be evaluated is read for the names that stand in it.
    """
    return any(_allows(part, value) for part in parts(annotation, deep=False))


def mentions(annotation: object, value: object) -> bool:
    """Say whether ``annotation`` allows this awaitable anywhere in the value."""
    return any(_allows(part, value) for part in parts(annotation, deep=True))


def field_promises(owner: type, field: str, value: object) -> bool:
    """Return whether a class annotates its field as what ``value`` is."""
    return mentions(field_annotation(owner, field), value)


def field_annotation(owner: type, field: str) -> object:
    """Return the annotation of a class's field, ``None`` for no such field."""
    for base in type.__dict__["__mro__"].__get__(owner):
        annotation = _annotations(base).get(field)
        if annotation is not None:
            return annotation
    return None


def is_loose(annotation: object) -> bool:
    """Return whether an annotation allows every object as the value."""
    loose = (Any, object, "Any", "object")
    return annotation is None or any(
        part in loose for part in parts(annotation, deep=False)
    )


def return_annotation(function: Any) -> object:
    """Return what a callable promises to return, evaluated where possible.

    A name that cannot be resolved leaves the annotation's text; no annotation
    at all is ``Any``.
    """
    while isinstance(function, partial):
        function = function.func
    if not hasattr(function, "__annotations__"):
        instance: object = function
        function = getattr(type(instance), "__call__", function)  # noqa: B004
    annotation = getattr(function, "__annotations__", {}).get("return", Any)
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules.get(getattr(function, "__module__", ""))
    names = getattr(function, "__globals__", None) or vars(module or object)
    try:
        return eval(annotation, dict(names))
    except Exception:
        return annotation


def awaited_type(annotation: object) -> object:
    """Return what awaiting a value of this annotation gives, ``Any`` if unknown."""
    return (typing.get_args(annotation) or (Any,))[-1]


def _allows(part: object, value: object) -> bool:
    """Say whether one name or class of an annotation stands for ``value``."""
    kind = type(value)
    if isinstance(part, str):
        name = part.rpartition(".")[2]
        if name == "Self":
            return not is_builtin(value)
        mro: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
        return name in WORDS or name in {c.__name__ for c in mro if c is not object}
    if not isinstance(part, type) or part is object:
        return False
    if kind.__name__ == "_AsyncGeneratorContextManager" and issubclass(
        part, AsyncIterable
    ):
        # ``contextlib.asynccontextmanager`` keeps its generator's annotation.
        return True
    if not any(static_type_attribute(part, mark) is not None for mark in _MARKS):
        return False
    try:
        return issubclass(kind, part)
    except TypeError:  # a protocol that cannot be asked at run time
        return True


def parts(annotation: object, *, deep: bool) -> Iterator[object]:
    """Yield the classes and names that an annotation offers.

    Args:
        annotation: An annotation, evaluated or text.
        deep: Also what its containers are said to hold.
    """
    waiting, seen = [annotation], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        origin = typing.get_origin(part)
        if isinstance(part, str):
            yield from _names(part, deep=deep)
        elif isinstance(part, typing.ForwardRef):
            waiting.append(part.__forward_arg__)
        elif isinstance(part, typing.TypeVar):
            waiting += [part.__bound__, *part.__constraints__]
        elif hasattr(origin or part, "__value__"):  # ``type X = ...`` of 3.12
            waiting.append(getattr(origin or part, "__value__"))  # noqa: B009
        elif part is Self:
            yield "Self"
        elif origin is typing.Annotated:
            waiting.append(typing.get_args(part)[0])
        elif origin is typing.Union or type(part).__name__ == "UnionType":
            waiting += typing.get_args(part)
        else:
            yield origin or part
            if deep:
                waiting += typing.get_args(part)
                if typing.is_typeddict(part):
                    waiting += _annotations(part).values()


def _names(text: str, *, deep: bool) -> Iterator[str]:
    """Yield the names of a text annotation; nothing where it is no expression."""
    try:
        waiting: list[ast.expr] = [ast.parse(text.strip(), mode="eval").body]
    except (SyntaxError, ValueError):
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.BinOp):
            waiting += [node.left, node.right]
        elif isinstance(node, (ast.Tuple, ast.List)):
            waiting += node.elts
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _names(node.value, deep=deep)
        elif isinstance(node, ast.Subscript):
            name = _last_name(node.value)
            if name not in _ALTERNATIVES:
                yield name
            if deep or name in _ALTERNATIVES:
                waiting.append(node.slice)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield _last_name(node)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _annotations(kind: Any) -> dict[str, Any]:
    """Return a class's own annotations."""
    try:
        return inspect.get_annotations(kind)
    except Exception:  # 3.14 evaluates them here
        return {}
