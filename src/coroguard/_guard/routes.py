"""Refusals of guards above the route decorators of web frameworks."""

# Such a decorator registers the function that it gets and returns it. A guard above it
# would guard a name that no request reaches.

from __future__ import annotations

import linecache
import re
from types import FrameType, FunctionType
from typing import Any, Final

from .._inspect.awaitables import class_name, module_name, mro, own_state
from .._leaks.origins import place
from .supported import FRAMEWORKS, usage_error

#: Modules of the objects that a decorator returns in the place of the function.
_ROUTES: Final = re.compile(r"(litestar\.handlers|\w+\.routing|django\.urls)\b")
_DECORATOR: Final = re.compile(r"\s*@([A-Za-z_][\w.]*)\.(\w+)\b(.*)")
_DEFINITION: Final = re.compile(r"\s*(async\s+)?def\b")
#: Methods by which an object of an unknown class registers a route, path first.
_VERBS: Final = frozenset(
    ("get", "post", "put", "patch", "delete", "head", "options", "route", "websocket")
)
_PATH: Final = re.compile(r"\(\s*(path\s*=\s*)?[\"']/")
_MOST_LINES: Final = 200


def refuse_route(target: Any, frame: FrameType, by: str) -> None:
    """Raise where a web framework has registered a function before it is guarded.

    It is called only where one of ``FRAMEWORKS`` has been imported.

    Args:
        target: The object to guard.
        frame: The frame in which the guard is put on.
        by: ``guard``, for the message.

    Raises:
        GuardUsageError: It is a route, or a decorator below registered the function.
    """
    kind = type(target)
    if kind is FunctionType:
        found = _registration(target, frame)
        if found:
            raise usage_error(
                f"{by} cannot guard {target.__qualname__}: {found} has registered it "
                f"without the guard; put @{by} below it, next to the function."
            )
    elif any(_ROUTES.match(module_name(base)) for base in mro(kind)):
        raise usage_error(
            f"{by} cannot guard a route, a {class_name(kind)}: put @{by} below the "
            "decorator that made it, next to the function."
        )


def _registration(function: FunctionType, frame: FrameType) -> str:
    """Return the decorator that registered a function, and its place, or ``""``."""
    code, first = function.__code__, frame.f_lineno
    file = code.co_filename
    if frame.f_code.co_filename != file or not first or first < code.co_firstlineno:
        return ""
    lines = linecache.getlines(file, frame.f_globals)[first - 1 : first + _MOST_LINES]
    if not lines or not lines[0].lstrip().startswith("@"):
        return ""  # a call of the guard: what follows decorates another function
    for number, line in enumerate(lines[1:], first + 1):
        if _DEFINITION.match(line):
            return ""
        found = _DECORATOR.match(line)
        if found and _registers(found[1], found[2], found[3], frame.f_globals):
            return f"@{found[1]}.{found[2]} ({place(file, number)})"
    return ""


def _registers(name: str, verb: str, arguments: str, known: dict[str, Any]) -> bool:
    """Return whether a decorator, which returned the function itself, is a route's.

    An object of a framework has registered it, whatever the method is called; of an
    object that is unknown here the method and the path must be those of a route.
    """
    first, *rest = name.split(".")
    if first not in known:
        return verb in _VERBS and _PATH.match(arguments) is not None
    owner = known[first]
    for attribute in rest:
        owner = own_state(owner).get(attribute)
    names = {module_name(base).partition(".")[0] for base in mro(type(owner))}
    return not FRAMEWORKS.isdisjoint(names)
