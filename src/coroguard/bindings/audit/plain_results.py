"""Sync functions whose result can certainly not be awaited."""

# `colours` answers for one function at a time, by its code. Here the source of the
# whole package is at hand, and a mistake would be a false alarm.

from __future__ import annotations

import ast
import contextlib
import inspect
from typing import TYPE_CHECKING, Any

from ..._inspect.annotations import return_annotation
from ..._inspect.attributes import (
    MISSING,
    is_plainly_made,
    member,
    mro,
    own_dict,
    unbound,
)
from ..._inspect.awaitables import class_of, static_type_attribute
from ..._inspect.callables import original_of
from ..._inspect.colours import Colour, colour_of, is_surely_plain, plain_function
from ..._inspect.promises import named_classes
from .scopes import By

if TYPE_CHECKING:
    from .module_source import Reading
    from .scopes import Scope

# Builtins whose instances, or whose answers, are their own.
_GIVE_PLAIN = frozenset(
    (
        *("all", "any", "bool", "bytes", "dict", "float", "frozenset", "int"),
        *("isinstance", "issubclass", "len", "list", "range", "repr", "round"),
        *("set", "sorted", "str", "tuple", "hasattr", "callable", "hash", "id"),
    )
)
_FARTHEST = 5
_PLAIN = (
    *(ast.Constant, ast.JoinedStr, ast.Dict, ast.List, ast.Tuple, ast.Set),
    *(ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Compare),
    *(ast.Lambda,),
)


class Plainness:
    """Judges the functions of a package, with their source where it was read.

    Args:
        readings: The package's modules.
    """

    def __init__(self, readings: list[Reading]) -> None:
        self._readings = {reading.file: reading for reading in readings}
        self._definitions: dict[str, dict[int, Scope]] = {}
        self._asked: set[int] = set()

    def lacks(self, target: object, mark: str = "__await__") -> bool:
        """Return whether the result is known not to have this method.

        Where the function itself does not show it, its source may.

        Args:
            target: A callable.
            mark: ``__await__``, ``__aiter__`` or ``__aenter__``.
        """
        if is_surely_plain(target, mark):
            return True
        function = plain_function(target)
        return (
            function is not None
            and colour_of(target) is Colour.SYNC
            and not original_of(function)
            and return_annotation(function) is Any
            and self._makes_it(function, mark)
        )

    def clash(self, one: object, other: object) -> bool:
        """Return whether one is surely async, and the other surely not."""
        pairs = ((one, other), (other, one))
        return any(is_surely_async(it) and self.lacks(also) for it, also in pairs)

    def odd_method(self, one: type, other: type) -> str:
        """Return a public method that two classes have in two colours, or nothing."""
        names = {name for base in mro(one)[:-1] for name in own_dict(base)}
        for name in sorted(names):
            found = [unbound(member(cls, name)) for cls in (one, other)]
            if not name.startswith("_") and self.clash(*found):
                return name
        return ""

    def defines_plain(self, scope: Scope, reading: Reading) -> bool:
        """Return the same for a definition, which need not be live any more."""
        node: Any = scope.node
        if node.returns is not None:
            names = vars(reading.module)
            classes = named_classes(ast.unparse(node.returns), names)
            return classes is not None and all(
                static_type_attribute(cls, "__await__") is None for cls in classes
            )
        return all(self.is_plain(it.value, scope, reading) for it in scope.returns)

    def _makes_it(self, function: Any, mark: str) -> bool:
        """Return whether the source makes the value at each ``return``."""
        code = function.__code__
        reading = self._readings.get(code.co_filename)
        # A function that calls itself proves nothing by that.
        if reading is None or id(code) in self._asked:
            return False
        scope = self._definition(reading, code.co_firstlineno, code.co_name)
        if scope is None:
            return False
        self._asked.add(id(code))
        try:
            return bool(scope.returns) and all(
                self.is_plain(it.value, scope, reading, mark) for it in scope.returns
            )
        finally:
            self._asked.discard(id(code))

    def _definition(self, reading: Reading, line: int, name: str) -> Scope | None:
        if reading.file not in self._definitions:
            self._definitions[reading.file] = {
                _first_line(scope.node): scope
                for scope in reading.source.all_scopes
                if scope.is_function
            }
        found = self._definitions[reading.file].get(line)
        return found if getattr(found and found.node, "name", None) == name else None

    def is_plain(
        self,
        node: ast.expr | None,
        scope: Scope,
        reading: Reading,
        mark: str = "__await__",
        depth: int = 0,
    ) -> bool:
        """Return whether an expression makes a value without such a method."""
        if node is None or isinstance(node, _PLAIN):
            return True
        match node:
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.BoolOp(values=parts):
                return all(
                    self.is_plain(it, scope, reading, mark, depth) for it in parts
                )
            case ast.IfExp(body=one, orelse=other):
                return all(
                    self.is_plain(it, scope, reading, mark, depth)
                    for it in (one, other)
                )
            case ast.Call(func=ast.Name(id=name)) if name in _GIVE_PLAIN:
                return reading.lookups.is_builtin(name, scope)
            case ast.Call():
                return self._gives_plain(reading.lookups.target(node), mark)
            case ast.Name() if depth < _FARTHEST:
                bound = scope.bound.get(node.id, [])
                if node.id in reading.source.nonlocals():
                    return False  # an inner function may bind it, too
                return bool(bound) and all(
                    it.by is By.VALUE
                    and self.is_plain(it.detail, scope, reading, mark, depth + 1)
                    for it in bound
                )
            case _:
                return False

    def _gives_plain(self, target: Any, mark: str) -> bool:
        if target is not MISSING and issubclass(class_of(target), type):
            return (
                static_type_attribute(target, mark) is None
                and member(target, "__getattr__") is MISSING
                and is_plainly_made(target)
            )
        return self.lacks(target, mark)


def is_surely_async(target: object) -> bool:
    """Return whether a call makes a coroutine, an async iterator or context manager.

    ``-> Awaitable`` does not prove it: the object may be more than that.
    """
    function = plain_function(target)
    if function is None:
        return False
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return True
    is_of_contextlib = function.__code__.co_filename == contextlib.__file__
    return is_of_contextlib and colour_of(function) is Colour.ASYNC_CONTEXT


def _first_line(node: Any) -> int:
    first: int = min([node.lineno, *(it.lineno for it in node.decorator_list)])
    return first
