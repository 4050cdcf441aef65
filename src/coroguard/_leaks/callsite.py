"""The expression that an exception came from, and what its names resolve to."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections import deque
from collections.abc import Iterator
from itertools import islice
from opcode import opname
from types import (
    BuiltinFunctionType,
    FrameType,
    FunctionType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    TracebackType,
)
from typing import Any, NamedTuple

from .._inspect.awaitables import ids, is_kind
from .._inspect.callables import BINDINGS, HOLDERS, METHODS, PARTIALS, unwrap

UNKNOWN = object()
_CONTAINERS = ids(dict, list, tuple)


class Operand(NamedTuple):
    """A part of an expression, and what it resolves to.

    Args:
        value: The object, or the function whose result it is.
        is_call: Whether it is the result of calling ``value``.
        is_called: Whether the object itself is called.
        is_parameter: Whether the object is an argument of the function.
        is_kept: Whether the object is kept by another one.
        is_property: Whether ``value`` is the getter of a property.
    """

    value: Any
    is_call: bool = False
    is_called: bool = False
    is_parameter: bool = False
    is_kept: bool = False
    is_property: bool = False


def instruction(traceback: TracebackType) -> str:
    """Return the name of the instruction at which an exception was raised."""
    code, at = traceback.tb_frame.f_code.co_code, traceback.tb_lasti
    return opname[code[at]] if 0 <= at < len(code) else ""


def operands(traceback: TracebackType, *, awaited: bool) -> Iterator[Operand]:
    """Yield what the expression that raised uses, outermost first.

    The source names it and the frame's own names resolve it; attributes are
    looked up without running descriptors. Without source there is nothing.

    Args:
        traceback: Where the exception was raised.
        awaited: Also yield what ``await`` is applied to.
    """
    frame = traceback.tb_frame
    for tree in _sources(traceback):
        found = False
        for node, is_called in _used(tree, awaited=awaited):
            operand = _operand(node, frame, is_called=is_called)
            if operand is not None:
                found = found or operand.is_call
                yield operand
        if found:
            return


def awaited_call(traceback: TracebackType) -> tuple[Any, str]:
    """Return the function whose result was awaited, or its name in the source.

    Of a chain of calls, it is the last one. Without a call there is neither.
    """
    for tree in _sources(traceback):
        node = _awaited(tree)
        if isinstance(node, ast.Call):
            function = _called(node, traceback.tb_frame)
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            return (function if callable(function) else None), name
    return None, ""


def awaited_object(traceback: TracebackType) -> Any:
    """Return the object that was awaited by its name, or ``UNKNOWN``."""
    for tree in _sources(traceback):
        node = _awaited(tree)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return _resolve(node, traceback.tb_frame)
    return UNKNOWN


def unwrapped(function: Any) -> Any:
    """Return the function behind wrappers, without running code of theirs."""
    function = unwrap(function, through=(*METHODS, *HOLDERS))
    return function if type(function) is FunctionType else None


def name_of(function: Any) -> str:
    """Return the qualified name of a function or a class, or nothing."""
    if is_kind(function, type):
        name: str = type.__dict__["__qualname__"].__get__(function)
        return name
    if is_kind(function, BuiltinFunctionType, MethodDescriptorType):
        return function.__qualname__  # type: ignore[no-any-return]
    plain = unwrapped(function)
    return plain.__qualname__ if plain is not None else ""


def where_defined(function: Any) -> tuple[str, int]:
    """Return file and line of a Python function, or ``("", 0)``."""
    code = getattr(unwrapped(function), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else ("", 0)


def _sources(traceback: TracebackType) -> Iterator[ast.AST]:
    """Parse the expression that raised, then the line that it begins on."""
    code = traceback.tb_frame.f_code
    index = traceback.tb_lasti // 2
    if index < 0:
        return
    nowhere = (None, None, None, None)
    positions = next(islice(code.co_positions(), index, None), nowhere)
    line, end_line, column, end_column = positions
    if line is None or end_line is None:
        return
    lines = [
        linecache.getline(code.co_filename, number, traceback.tb_frame.f_globals)
        for number in range(line, end_line + 1)
    ]
    first = lines[0].strip()
    texts = [first, f"async def _():\n {first}", f"async def _():\n {first}\n  pass"]
    if column is not None and end_column is not None:
        raw = [text.encode() for text in lines]
        raw[-1] = raw[-1][:end_column]
        raw[0] = raw[0][column:]
        text = b"".join(raw).decode(errors="replace")
        texts[:0] = [f"({text})", f'f"""{text}"""']  # or a field of an f-string
    for text in texts:
        try:
            yield ast.parse(text)
        except (SyntaxError, ValueError):
            continue


def _used(tree: ast.AST, *, awaited: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes whose values are used, and whether each is called.

    What an ``await`` awaits is used rightly; the arguments of a call may not be.
    """
    waiting = deque([(tree, False)])
    while waiting:
        node, is_called = waiting.popleft()
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Await) and not awaited:
            node = node.value
        else:
            yield node, is_called
        function = node.func if isinstance(node, ast.Call) else None
        for child in ast.iter_child_nodes(node):
            waiting.append((child, child is function))


def _operand(node: ast.AST, frame: FrameType, *, is_called: bool) -> Operand | None:
    if isinstance(node, ast.Call):
        function = _called(node, frame)
        if not callable(function):
            return None
        return Operand(function, is_call=True, is_called=is_called)
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return None
    value = _resolve(node, frame)
    if value is UNKNOWN:
        return None
    if is_kind(value, property):  # of an instance, or it would be used as one
        return Operand(value.fget, is_call=True, is_property=True)
    code = frame.f_code
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    is_name = isinstance(node, ast.Name)
    is_parameter = is_name and node.id in parameters  # type: ignore[union-attr]
    is_kept = not is_name or node.id in code.co_freevars  # type: ignore[union-attr]
    return Operand(
        value, is_called=is_called, is_parameter=is_parameter, is_kept=is_kept
    )


def _awaited(tree: ast.AST) -> ast.AST | None:
    """Return the expression that is awaited, or iterated or entered so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncWith):
            return node.items[0].context_expr
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.comprehension)):
            return node.value if isinstance(node, ast.Await) else node.iter
    whole = isinstance(tree, ast.Module) and len(tree.body) == 1
    statement = tree.body[0] if whole else None  # type: ignore[attr-defined]
    return statement.value if isinstance(statement, ast.Expr) else None


def _resolve(node: ast.expr, frame: FrameType) -> Any:
    """Look an expression up where the frame would find it."""
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals, frame.f_builtins):
            if node.id in names:
                return names[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute):
        owner = _owner(node, frame)
        return UNKNOWN if owner is UNKNOWN else _attribute(owner, node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        container = _resolve(node.value, frame)
        if id(type(container)) in _CONTAINERS:
            try:
                return container[node.slice.value]
            except (LookupError, TypeError):
                return UNKNOWN
    return UNKNOWN


def _called(node: ast.Call, frame: FrameType) -> Any:
    """Return the callable behind a static or class method, or a partial."""
    return unwrap(_resolve(node.func, frame), through=(*BINDINGS, *PARTIALS))


def _owner(node: ast.Attribute, frame: FrameType) -> Any:
    """Return the object of an attribute, or the class of one that a call gave."""
    if not isinstance(node.value, ast.Call):
        return _resolve(node.value, frame)
    called, owner = node.value.func, UNKNOWN
    if isinstance(called, ast.Attribute):
        owner = _owner(called, frame)  # once, because a chain of calls may be long
        found = UNKNOWN if owner is UNKNOWN else _attribute(owner, called.attr)
    else:
        found = _resolve(called, frame)
    function: Any = unwrap(found, through=(*BINDINGS, *PARTIALS))
    if is_kind(function, type):
        return function
    if type(function) is not FunctionType:
        return UNKNOWN
    # The result is known if a single class among those that it may have fits.
    fitting = [
        kind
        for kind in _classes_returned(function, owner)
        if _attribute(kind, node.attr) is not UNKNOWN
    ]
    return fitting[0] if len(ids(*fitting)) == 1 else UNKNOWN


def _classes_returned(function: FunctionType, owner: Any) -> Iterator[type]:
    """Yield the classes that a function names; for a method, also its object's."""
    for name in function.__code__.co_names:
        named: Any = function.__globals__.get(name)
        if is_kind(named, type):
            yield named
    if owner is not UNKNOWN and not is_kind(owner, ModuleType):
        yield owner if is_kind(owner, type) else type(owner)


def _attribute(owner: object, name: str) -> Any:
    try:
        found = inspect.getattr_static(owner, name, UNKNOWN)
        if type(found) is MemberDescriptorType:  # a slot
            return found.__get__(owner)
    except Exception:
        return UNKNOWN
    return found
