"""Colours of callables, found without calling them."""

# Only types, code objects and annotations are read: an audit of a whole package
# must not run any of its code.

from __future__ import annotations

import contextlib
import dis
import enum
import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from .annotations import return_annotation
from .awaitables import class_name, class_of, module_name, static_type_attribute
from .callables import (
    BINDINGS,
    GUARDS,
    METHODS,
    PARTIALS,
    is_async,
    original_of,
    unwrap,
)
from .promises import named_classes, parts


class Colour(enum.StrEnum):
    """The way to get the result of a call."""

    SYNC = "sync"
    ASYNC = "async"
    ASYNC_ITERATOR = "async iterator"
    ASYNC_CONTEXT = "async context manager"
    #: Annotated as a value or an awaitable: right for callers of both colours.
    EITHER = "either"


_LAYERS = (*GUARDS, *PARTIALS, *BINDINGS, *METHODS)
_WORDS = {
    Colour.ASYNC: ("Awaitable", "Coroutine", "CoroutineType"),
    Colour.EITHER: ("Task", "Future"),
    Colour.ASYNC_ITERATOR: ("AsyncGenerator", "AsyncIterator", "AsyncIterable"),
    Colour.ASYNC_CONTEXT: ("AsyncContextManager", "AbstractAsyncContextManager"),
}
_BY_WORD = {word: colour for colour, words in _WORDS.items() for word in words}
_FROM_TYPING = ("collections.abc", "contextlib", "typing", "types")


def colour_of(target: object) -> Colour | None:
    """Return the colour of a callable.

    A coroutine function is async, and so is a function that is annotated to
    return an awaitable. Any other function is sync by its own code, not by the
    decorated one; but the colour of a sync wrapper around an async function
    is unknown.

    Returns:
        The colour; ``None`` for classes, for what cannot be called, and where
        it is unknown.
    """
    function = plain_function(target)
    if function is None:
        return None
    if inspect.isasyncgenfunction(function):
        return Colour.ASYNC_ITERATOR
    if is_async(function):
        return Colour.ASYNC
    if function.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE:
        return Colour.ASYNC
    promised = _promised(function)
    inner = original_of(function)
    if inspect.isasyncgenfunction(inner):
        is_context = function.__code__.co_filename == contextlib.__file__
        return Colour.ASYNC_CONTEXT if is_context else None
    if inner is not None and colour_of(inner) not in (promised, Colour.EITHER):
        return None
    return promised


def plain_function(target: Any) -> Any:
    """Return the Python function that a call of ``target`` runs, or ``None``.

    Looks behind partials, static, class and bound methods, guards and the
    ``__call__`` of callable objects, and runs none of their code.
    """
    found: Any = unwrap(target, through=_LAYERS)
    kind = class_of(found)
    if kind is FunctionType:
        return found
    # A class's own __call__ makes an instance; those in C are not seen.
    call = static_type_attribute(kind, "__call__")
    if type(call) is not FunctionType or issubclass(kind, type):
        return None
    return plain_function(call)


def clash(first: object, second: object) -> bool:
    """Return whether code that is right for one callable is wrong for the other.

    ``False`` where one of the two may be either, or is sync only because its
    result is not annotated.
    """
    one, other = colour_of(first), colour_of(second)
    if one is other or Colour.EITHER in (one, other) or None in (one, other):
        return False
    return all(
        colour is not Colour.SYNC or is_surely_plain(function)
        for colour, function in ((one, first), (other, second))
    )


def is_surely_plain(target: object, mark: str = "__await__") -> bool:
    """Return whether the result of a sync function is known not to have a method.

    An annotation that can be evaluated decides. Without one, the code
    has to make the value itself: a constant, a display, a comparison, a string.
    A stub, a function that only raises and an unknown wrapper decide nothing.

    Args:
        target: A callable.
        mark: ``__await__``, ``__aiter__`` or ``__aenter__``.
    """
    function = plain_function(target)
    if function is None or colour_of(target) is not Colour.SYNC:
        return False
    if inspect.isgeneratorfunction(function):
        return True
    if original_of(function):  # whose annotation is only a copy
        return bool(function.__code__.co_filename == contextlib.__file__)
    annotation = return_annotation(function)
    if annotation is Any:
        returned = list(_returned(function))
        return bool(returned) and all(returned)
    classes = named_classes(annotation, function.__globals__)
    return classes is not None and all(
        static_type_attribute(cls, mark) is None for cls in classes
    )


def _promised(function: Any) -> Colour:
    """Return the colour that a function's return annotation promises."""
    annotation = return_annotation(function)
    classes = named_classes(annotation, function.__globals__)
    if classes is None:
        found = set(_alternatives(annotation, function.__globals__))
    else:
        found = set(map(_kind, classes))
    if not found:
        return Colour.SYNC
    return found.pop() if len(found) == 1 else Colour.EITHER


def _kind(part: type) -> Colour:
    """Return the colour of a function that is annotated with this class."""
    if module_name(part) in _FROM_TYPING and class_name(part) in _BY_WORD:
        return _BY_WORD[class_name(part)]
    if static_type_attribute(part, "__await__") is not None:
        return Colour.EITHER  # a task, a client, a lazy query: more than an awaitable
    return Colour.SYNC


def _alternatives(annotation: object, names: dict[str, Any]) -> Iterator[Colour]:
    """Yield the colour of each part of an annotation that cannot be read whole.

    Names that only type checkers import count by their words, and type variables
    and ``Any`` by the other parts.
    """
    for part in parts(annotation, deep=False):
        if isinstance(part, type):
            yield _kind(part)
        elif not isinstance(part, str):
            yield Colour.SYNC
        elif part in names and not isinstance(names[part], str):
            yield from _alternatives(names[part], {})
        else:
            yield _BY_WORD.get(part, Colour.SYNC)


_CONSTANTS = ("LOAD_CONST", "LOAD_COMMON_CONSTANT")
# Instructions that make a value of their own, in 3.11 to 3.15.
_MAKES = (
    *(
        "BUILD_",
        *_CONSTANTS,
        "LOAD_SMALL_INT",
        "FORMAT_",
        "COMPARE_OP",
        "CONTAINS_OP",
        "IS_OP",
    ),
    *("UNARY_NOT", "TO_BOOL", "LIST_APPEND", "LIST_EXTEND", "SET_ADD", "SET_UPDATE"),
    *("MAP_ADD", "DICT_UPDATE", "DICT_MERGE"),
)
_EMPTY = frozenset(("RESUME", "NOP", *_CONSTANTS, "RETURN_VALUE", "RETURN_CONST"))


def _returned(function: Any) -> Iterator[bool]:
    """Yield for each ``return`` whether the code makes the value at that place."""
    instructions = list(dis.get_instructions(function.__code__))
    if all(it.opname in _EMPTY and it.argval in (0, None) for it in instructions):
        return
    before = ""
    for found in instructions:
        if found.opname == "RETURN_CONST":
            yield True
        elif found.opname == "RETURN_VALUE":
            yield before.startswith(_MAKES)
        before = found.opname
