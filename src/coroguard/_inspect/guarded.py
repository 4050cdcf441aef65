"""Is there a guard on this callable, and what was it told?"""

# A guard is known by the free variables of its wrapper, so that nothing has to be
# written down, and a copy of its attributes by functools.wraps is not taken for it.

from __future__ import annotations

from functools import partial
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

from .awaitables import static_type_attribute

if TYPE_CHECKING:
    from .._guard.judge import Terms

__all__ = [
    "ASYNC_MARK",
    "MARK",
    "QUIET_MARK",
    "is_guarded",
    "reaches_guard",
    "terms_of",
]

#: Free variables of the wrappers, by which their frames are known.
MARK = "_cg_function"
ASYNC_MARK = "_cg_afunction"
#: That of a guard to which nothing that was left behind belongs.
QUIET_MARK = "_cg_quiet"
_MARKS = frozenset((MARK, ASYNC_MARK, QUIET_MARK))
_BINDING: tuple[Any, ...] = (staticmethod, classmethod)
_type: Any = type
_FARTHEST = 64


def is_guarded(target: Any) -> bool:
    """Say whether a callable is a guard, or the static or class method of one."""
    return _wrapper(target) is not None


def terms_of(target: Any) -> Terms | None:
    """Return what the guard on a callable was told, ``None`` where there is none."""
    wrapper = _wrapper(target)
    if wrapper is None:
        return None
    names = _closure(wrapper)
    done = names["_cg_hooks"][1] if "_cg_hooks" in names else names["done"]
    terms: Terms = _closure(done)["terms"]
    return terms


def reaches_guard(target: Any) -> bool:
    """Say whether a callable is a guard or calls one that it closes over.

    A decorator that was put on top of a guard has not taken it away.
    """
    waiting, seen = [target], set[int]()
    while waiting and len(seen) < _FARTHEST:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if is_guarded(one):
            return True
        kind = _type(one)
        if issubclass(kind, partial):
            waiting.append(one.func)
        elif issubclass(kind, _BINDING):
            waiting.append(one.__func__)
        elif kind is FunctionType:
            waiting += _closure(one).values()
            waiting.append(one.__dict__.get("__wrapped__"))
    return False


def _wrapper(target: Any) -> Any:
    """Return the wrapper function of a guard, or ``None``."""
    while issubclass(_type(target), _BINDING):
        target = target.__func__
    kind = _type(target)
    if kind is FunctionType:
        return target if _MARKS & {*target.__code__.co_freevars} else None
    if static_type_attribute(kind, "__coroguard__") is not None:
        return target._self_wrapper
    return None


def _closure(function: Any) -> dict[str, Any]:
    """Return the free variables of a function that are set."""
    cells: tuple[CellType, ...] = function.__closure__ or ()
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return found
