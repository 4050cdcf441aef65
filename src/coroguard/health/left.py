"""Runs of checks that were abandoned and have not ended."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from .._runtime.threads import in_forked_child

if TYPE_CHECKING:
    from .runs import Run

#: A check that is made anew for each request, around objects of the request, is
#: another one each time; of these so many may be left behind, of others one.
_MOST_ALIKE = 4
_VALUES = (str, bytes, int, float, bool, type(None))

_left: dict[int, Run] = {}


def left_behind() -> int:
    """Return how many abandoned runs of checks have not ended.

    A run is abandoned at its deadline, or when its caller is cancelled. The next
    runs of the same check fail at once until it has ended.
    """
    for number, run in [*_left.items()]:
        if run.is_lost():
            _left.pop(number, None)
    return len(_left)


def leave(run: Run) -> None:
    """Note an abandoned run, unless it has just ended."""
    run.identity = identity(run.name, run.checked.check)
    _left[id(run)] = run
    if run.outcome is not None:  # since it was noted, or before
        _left.pop(id(run), None)


def end(run: Run, outcome: Any) -> None:
    """Note the outcome of a run, which was abandoned or not."""
    run.outcome = outcome
    _left.pop(id(run), None)


def is_blocked(name: str, check: Any) -> bool:
    """Return whether an abandoned run of this check goes on."""
    if not _left or not left_behind():
        return False
    own = identity(name, check)
    alike = [it.identity for it in [*_left.values()] if it.identity[0] == own[0]]
    return own in alike or len(alike) >= _MOST_ALIKE


def identity(name: str, check: Any) -> tuple[Any, Any]:
    """Return the identity of a check, which its runs share.

    Args:
        name: The name of its component.
        check: The function, which may be a lambda that is made for each call.

    Returns:
        The name and the code, and what the code is applied to.
    """
    held: list[Any] = []
    while True:
        if type(check) is MethodType:
            held.append(check.__self__)
            check = check.__func__
        elif isinstance(check, partial):
            held += [*check.args, *check.keywords.values()]
            check = check.func
        else:
            break
    if type(check) is not FunctionType:
        return (name, type(check)), (id(check), *map(_same, held))
    for cell in check.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    held += check.__defaults__ or ()
    return (name, check.__code__), tuple(map(_same, held))


def _same(value: object) -> object:
    """Return a key that is equal only for the same object or an equal plain value."""
    return (type(value), value) if type(value) in _VALUES else id(value)


in_forked_child(_left.clear)  # the threads are not there
