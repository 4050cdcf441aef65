"""Which function was called at the instruction that an exception came from?"""

from __future__ import annotations

import ast
import dis
import inspect
import linecache
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

__all__ = ["called_functions", "instruction", "where_defined"]

_UNKNOWN = object()
# Typed Any, because their generic types say nothing about the function inside.
_UNBOUND: Any = (staticmethod, classmethod)


def instruction(traceback: TracebackType) -> str:
    """Return the name of the instruction at which ``traceback`` was raised."""
    code = traceback.tb_frame.f_code
    for found in dis.get_instructions(code):
        if found.offset == traceback.tb_lasti:
            return found.opname
    return ""


def called_functions(traceback: TracebackType) -> list[Any]:
    """Return the functions called in the expression that raised, outermost first.

    The source names them and the frame's own names resolve them; attributes
    are looked up without running descriptors. Without source, nothing.
    """
    for tree in _sources(traceback):
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found = [_resolve(call.func, traceback.tb_frame) for call in calls]
        functions = [_plain(function) for function in found if callable(function)]
        if functions:
            return functions
    return []


def where_defined(function: Any) -> tuple[str, int]:
    """Return file and line of a Python function, or ``("", 0)``."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else ("", 0)


def _sources(traceback: TracebackType) -> Iterator[ast.AST]:
    """Parse the expression that raised, then the line that it begins on."""
    code = traceback.tb_frame.f_code
    positions = list(code.co_positions())
    index = traceback.tb_lasti // 2
    if not 0 <= index < len(positions):
        return
    line, end_line, column, end_column = positions[index]
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
        texts.insert(0, f"({b''.join(raw).decode(errors='replace')})")
    for text in texts:
        try:
            yield ast.parse(text)
        except (SyntaxError, ValueError):
            continue


def _resolve(node: ast.expr, frame: FrameType) -> Any:
    """Look a dotted name up where the frame would find it."""
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals, frame.f_builtins):
            if node.id in names:
                return names[node.id]
        return _UNKNOWN
    if isinstance(node, ast.Attribute):
        inner = node.value
        if isinstance(inner, ast.Call):  # an instance is known by its class
            owner = _resolve(inner.func, frame)
            owner = owner if isinstance(owner, type) else _UNKNOWN
        else:
            owner = _resolve(inner, frame)
        if owner is _UNKNOWN:
            return _UNKNOWN
        return inspect.getattr_static(owner, node.attr, _UNKNOWN)
    return _UNKNOWN


def _plain(function: Any) -> Any:
    """Return the function behind a static or class method, or a partial."""
    while True:
        if isinstance(function, _UNBOUND):
            function = function.__func__
        elif isinstance(function, partial):
            function = function.func
        else:
            return function
