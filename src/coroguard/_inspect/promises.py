"""Awaitables that an annotation promises to its reader."""

from __future__ import annotations

import ast
import typing
from collections.abc import AsyncIterable, Iterator, Mapping
from types import UnionType
from typing import Any, Self

from .annotations import annotations_of, evaluated, names_in
from .awaitables import class_name, is_builtin, module_name, mro, static_type_attribute

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
_UNIONS = (typing.Union, UnionType)
#: The words of annotations that allow every object.
LOOSE = ("Any", "object")
_ALTERNATIVES = ("Optional", "Union", "Annotated")


def promises(annotation: object, value: object) -> bool:
    """Return whether ``annotation`` allows this very awaitable as the value.

    ``Any`` and ``object`` allow everything and promise nothing. A type variable
    stands for what the caller has put in, which may be any awaitable. Of text
    that could not be evaluated the names are read.
    """
    return any(_allows(part, value) for part in parts(annotation, deep=False))


def mentions(annotation: object, value: object) -> bool:
    """Return whether ``annotation`` allows this awaitable anywhere in the value."""
    return any(_allows(part, value) for part in parts(annotation, deep=True))


def field_promises(owner: type, field: str, value: object) -> bool:
    """Return whether a class annotates its field as an awaitable such as ``value``."""
    return any(
        _allows(part, value)
        for part in parts(field_annotation(owner, field), deep=True)
        if type(part) is not typing.TypeVar
    )


def field_annotation(owner: type, field: str) -> object:
    """Return the annotation of a class's field, ``None`` for no such field."""
    for base in mro(owner):
        annotation = annotations_of(base, only=field).get(field)
        if annotation is not None:
            return annotation
    return None


def awaited_type(annotation: object) -> object:
    """Return what awaiting a value of this annotation gives.

    Returns:
        A type, or the text of one; ``Any`` where the annotation has none, and
        ``object`` where it cannot be read.
    """
    if type(annotation) is typing.TypeVar:
        bound: object = annotation.__bound__
        return annotation if bound is None else awaited_type(bound)
    if type(annotation) is str:
        return _awaited_text(annotation)
    origin: Any = typing.get_origin(annotation)
    if class_name(type(origin or annotation)) == "TypeAliasType":
        return awaited_type(_alias(origin or annotation))
    inner = typing.get_args(annotation)
    if origin is typing.Annotated:
        return awaited_type(inner[0])
    if any(origin is union for union in _UNIONS):
        found = [awaited_type(it) for it in inner if _is_awaited(it)]
        return found[0] if len(found) == 1 else object
    return (inner or (Any,))[-1]


def named_classes(annotation: object, names: Mapping[str, Any]) -> list[type] | None:
    """Return the classes that an annotation allows, ``NoneType`` among them.

    Args:
        annotation: An annotation, evaluated or text.
        names: The names of its module, for text.

    Returns:
        The classes; ``None`` where they are not certain: for type variables,
        ``Any``, and text that cannot be evaluated.
    """
    find = names_in(names)
    found: list[type] = []
    waiting: list[Any] = [annotation]
    for _ in range(100):  # text may name itself
        if not waiting:
            return found
        part = evaluated(waiting.pop(), find)
        if part is None:
            found.append(type(None))
            continue
        inner = _alternatives(part)
        if inner is not None:
            waiting += inner
        elif issubclass(type(part), type) and part is not object and part is not Any:
            found.append(part)  # type: ignore[arg-type]
        else:
            return None
    return None


def _alternatives(part: object) -> list[Any] | None:
    """Return the alternatives of a union or an alias, ``None`` for all else."""
    # Only of Python's own kinds: nobody else's attribute may run here.
    if module_name(type(part)) not in ("typing", "types"):
        return None
    origin: Any = typing.get_origin(part)
    if class_name(type(origin or part)) == "TypeAliasType":
        return [_alias(origin or part)]
    if any(origin is union for union in _UNIONS):
        return list(typing.get_args(part))
    if origin is typing.Annotated:
        return list(typing.get_args(part)[:1])
    if origin is typing.Literal:
        return [type(value) for value in typing.get_args(part)]
    return None if origin is None else [origin]


def _allows(part: object, value: object) -> bool:
    """Return whether one name or class of an annotation stands for ``value``."""
    kind = type(value)
    if isinstance(part, str):
        name = part.rpartition(".")[2]
        if name == "Self":
            return not is_builtin(value)
        return name in WORDS or name in map(class_name, mro(kind)[:-1])
    if type(part) is typing.TypeVar:
        return True
    if not issubclass(type(part), type) or part is object:
        return False
    cls: Any = part
    if class_name(kind) == "_AsyncGeneratorContextManager" and any(
        base is AsyncIterable for base in mro(cls)
    ):
        # ``contextlib.asynccontextmanager`` keeps its generator's annotation.
        return True
    if not any(static_type_attribute(cls, mark) is not None for mark in _MARKS):
        return False
    try:
        return issubclass(kind, cls)
    except Exception:  # a protocol that cannot be asked at run time, a metaclass
        return True


def parts(annotation: object, *, deep: bool = False) -> Iterator[object]:
    """Yield the classes, names and unbound type variables that an annotation offers.

    Args:
        annotation: An annotation, evaluated or text.
        deep: Also the types of the items of its containers.
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
            if part.__bound__ is None and not part.__constraints__:
                yield part
            waiting += [part.__bound__, *part.__constraints__]
        elif class_name(type(origin or part)) == "TypeAliasType":
            waiting.append(_alias(origin or part))
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
                    waiting += annotations_of(part).values()


def _names(text: str, *, deep: bool) -> Iterator[str]:
    """Yield the names of a text annotation; nothing if it is not an expression."""
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


def _is_awaited(annotation: object) -> bool:
    """Return whether a part of a union can be awaited."""
    return any(
        part in WORDS
        if type(part) is str
        else issubclass(type(part), type)
        and static_type_attribute(part, "__await__") is not None  # type: ignore[arg-type]
        for part in parts(annotation, deep=False)
    )


def _awaited_text(text: str) -> object:
    """Return the text of what is awaited, of an annotation that is text."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return object
    if not isinstance(node, ast.Subscript) or _last_name(node.value) not in WORDS:
        return object
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return ast.unparse(inner[-1])


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _alias(alias: Any) -> object:
    """Return the value of ``type X = ...``, which Python evaluates on access."""
    try:
        return alias.__value__
    except Exception:
        return Any
