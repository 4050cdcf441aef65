"""Which class does an annotation name, as far as one can tell without running code?"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import typing
from types import ModuleType, NoneType
from typing import TYPE_CHECKING, Any, Self

from ..._inspect.callables import is_async
from ..._inspect.colours import Colour, plain_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ABSENT", "class_given_by", "class_of_attribute", "own_annotations"]

#: Stands for a class that cannot be told.
ABSENT: Any = object()

# A class or a word that an annotation names, and what stands in its brackets.
_Named = tuple[Any, tuple[Any, ...]]
# Typed Any, because pyright knows nothing of these.
_type: Any = type
_SELF: Any = Self
_FACADES = ("Awaitable", "Coroutine", "CoroutineType")


def class_given_by(target: Any, colour: Colour | None) -> Any:
    """Return the class of what one gets from a call, awaited or entered.

    Returns:
        A class, ``None`` for a function that gives ``None``, ``Self``, and
        ``ABSENT`` where it cannot be told or there are several.
    """
    function = plain_function(target)
    if function is None or colour is Colour.EITHER:
        return ABSENT
    # Wrappers carry the annotations of what they wrap, which its own names explain.
    names = getattr(inspect.unwrap(function), "__globals__", function.__globals__)
    found = list(_named(function.__annotations__.get("return", Any), names))
    if colour is Colour.ASYNC and not is_async(function):
        found = list(_inside(found, names, last=True))
    elif colour is Colour.ASYNC_CONTEXT:
        found = list(_inside(found, names, last=False))
    return _only(found)


def class_of_attribute(owner: Any, name: str) -> Any:
    """Return the class that a class annotates its attribute with, else ``ABSENT``."""
    kind: Any = owner if isinstance(owner, type) else type(owner)
    for base in type.__dict__["__mro__"].__get__(kind):
        annotations = own_annotations(base)
        if name in annotations:
            module = sys.modules.get(base.__module__)
            names = vars(module) if module else {}
            return _only(list(_named(annotations[name], names)))
    return ABSENT


def own_annotations(kind: type) -> dict[str, Any]:
    """Return a class's own annotations, as they are written."""
    try:
        return inspect.get_annotations(kind)
    except Exception:  # 3.14 evaluates them here
        return {}


def _only(found: list[_Named]) -> Any:
    """Return the one class that there is beside ``None``."""
    heads: list[Any] = [it for it, _ in found if it is not None and it is not NoneType]
    if not heads and found:
        return None
    return _class_of(heads[0]) if len(heads) == 1 else ABSENT


def _class_of(head: Any) -> Any:
    if head is _SELF or head == "Self":
        return _SELF
    # Since 3.11 ``Any`` is a class too.
    is_told = head is not Any and head is not object and issubclass(_type(head), type)
    return head if is_told else ABSENT


def _inside(
    found: list[_Named], names: dict[str, Any], *, last: bool
) -> Iterator[_Named]:
    """Yield what stands in the brackets of awaitables, iterators and contexts."""
    for head, inner in found:
        word = head if isinstance(head, str) else getattr(head, "__name__", "")
        if inner and (word in _FACADES or not last):
            yield from _named(inner[-1 if last else 0], names)
        else:
            yield Any, ()


def _named(annotation: Any, names: dict[str, Any]) -> Iterator[_Named]:
    """Yield the alternatives of an annotation, an object or text."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        try:
            annotation = ast.parse(annotation.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            annotation = Any
    if isinstance(annotation, ast.expr):
        yield from _read(annotation, names)
        return
    origin: Any = typing.get_origin(annotation)
    inner = typing.get_args(annotation)
    if type(annotation).__name__ == "UnionType":
        origin = typing.Union
    yield from _unfolded(origin or annotation, inner, lambda it: _named(it, names))


def _read(node: ast.expr, names: dict[str, Any]) -> Iterator[_Named]:
    match node:
        case ast.Constant(value=str(text)):
            yield from _named(text, names)
        case ast.Constant(value=None):
            yield None, ()
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _read(left, names)
            yield from _read(right, names)
        case ast.Subscript(value=value, slice=inner):
            args = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            head = _looked_up(value, names)
            yield from _unfolded(head, tuple(args), lambda it: _named(it, names))
        case _:
            head = _looked_up(node, names)
            yield from [(head, ())] if isinstance(head, str) else _named(head, names)


def _unfolded(
    head: Any, inner: tuple[Any, ...], read: Callable[[Any], Iterator[_Named]]
) -> Iterator[_Named]:
    """Yield the alternatives of a union; else the head and what it holds."""
    if head is typing.Annotated:
        inner = inner[:1]
    if head in (typing.Annotated, typing.Union, typing.Optional):
        for part in inner:
            yield from read(part)
        if head is typing.Optional:
            yield None, ()
    else:
        yield head, inner


def _looked_up(node: ast.expr, names: dict[str, Any]) -> Any:
    """Return what a dotted name leads to, or its last word where it is not there."""
    if isinstance(node, ast.Name):
        return names.get(node.id, getattr(builtins, node.id, node.id))
    if not isinstance(node, ast.Attribute):
        return Any
    owner = _looked_up(node.value, names)
    if isinstance(owner, (ModuleType, type)):
        return inspect.getattr_static(owner, node.attr, node.attr)
    return node.attr
