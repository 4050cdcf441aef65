"""What is a value that its annotation does not allow: a leak, or a wrong type?"""

from __future__ import annotations

import contextlib
import sys
from inspect import CO_COROUTINE
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from .._guard.judge import act
from .._inspect.awaitables import close_refused, what_is
from .._inspect.promises import mentions, promises
from .._leaks.errors import leak_error
from .._leaks.leak import LeakKind, record
from .._leaks.scan import scan
from .._runtime import hot as _hot
from .._runtime.modes import Mode, current, scan_limit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from typeguard import TypeCheckError, TypeCheckFailCallback, TypeCheckMemo

    from .._leaks.errors import CoroguardError

__all__ = ["refuser"]

#: What typeguard's checks call the value, its role, and the name of it.
_PLACES = {
    "check_argument_types_internal": ("value", "argument", "argname"),
    "check_return_type_internal": ("retval", "", ""),
    "check_send_type": ("sendval", "value sent in", ""),
    "check_variable_assignment": ("val", "variable", "varname"),
    "check_yield_type": ("yieldval", "yielded value", ""),
}
#: Awaitables that were reported and let pass: each is told of once.
_told: WeakValueDictionary[int, Any] = WeakValueDictionary()


class _Place(NamedTuple):
    """A value, where typeguard met it, and what it was to be."""

    value: object
    annotation: object
    role: str
    name: str
    frame: FrameType


def refuser(
    is_strict: Callable[[str], bool], before: TypeCheckFailCallback | None
) -> TypeCheckFailCallback:
    """Return what typeguard is to do about a value of the wrong type.

    Args:
        is_strict: Says whether a module is in a strict package.
        before: What typeguard was to do until now; it still does for all that
            is not a leak in a strict package.
    """

    def refuse(error: TypeCheckError, memo: TypeCheckMemo) -> None:
        ours = is_strict(_module_of(memo.globals))
        mode = current()
        if ours and mode is Mode.OFF:
            return
        place = _place_in(sys._getframe(1)) if ours else None  # pyright: ignore[reportPrivateUsage]
        leaked = _leaked(place) if place is not None else []
        if place is not None and leaked:
            _refuse(place, leaked, mode)
        elif ours and mode is Mode.OBSERVE:
            return
        elif before is not None:
            before(error, memo)
        else:
            raise error

    refuse.coroguard = True  # type: ignore[attr-defined]
    return refuse


def _module_of(names: dict[str, Any]) -> str:
    """Return the name that a module was found by, also of one run with ``-m``."""
    found = getattr(names.get("__spec__"), "name", None)
    return str(found or names.get("__name__", ""))


def _place_in(check: FrameType) -> _Place | None:
    """Read from the frame of a typeguard check; ``None`` if it is not as known."""
    names, frame = check.f_locals, check.f_back
    value, role, name = _PLACES.get(check.f_code.co_name, ("", "", ""))
    if frame is None or value not in names or "annotation" not in names:
        return None
    return _Place(
        names[value], names["annotation"], role, str(names.get(name, "")), frame
    )


def _leaked(place: _Place) -> list[tuple[object, CoroguardError]]:
    """Return the awaitables in a value that its annotation does not speak of."""
    value, annotation = place.value, place.annotation
    if what_is(value) is not None:
        if promises(annotation, value):
            return []
        return [(value, _error(place, value, "$"))]
    return [
        (found.value, _error(place, found.value, found.path))
        for found in scan(value, limit=scan_limit()).found
        if not mentions(annotation, found.value)
    ]


def _error(place: _Place, value: object, path: str) -> CoroguardError:
    """Tell of one awaitable, as seen by the function that met it."""
    is_returned = not place.role and path == "$"
    kind = LeakKind.RETURNED if is_returned else LeakKind.NESTED
    if place.role:
        where = f"{place.role} {place.name!r}" if place.name else place.role
        path = where if path == "$" else f"{where}, {path}"
    code = place.frame.f_code
    # An argument was made by the caller: it is not this function that has to await.
    is_async = place.role == "argument" or bool(code.co_flags & CO_COROUTINE)
    leak = record(kind, what_is(value) or "awaitable", value, path=path)
    return leak_error(
        leak.within(code.co_qualname, is_async=is_async), _expected(place.annotation)
    )


def _refuse(
    place: _Place, leaked: list[tuple[object, CoroguardError]], mode: Mode
) -> None:
    """Report leaks, then raise the first where the mode says so."""
    if mode is Mode.OBSERVE:
        if _is_judged_by_guard(place):
            return
        leaked = [(value, error) for value, error in leaked if _is_news(value)]
        if not leaked:
            return
    fatal = act(mode, place.frame.f_code.co_qualname, [error for _, error in leaked])
    if fatal is None:
        return
    for value, _ in leaked:
        close_refused(value)
    raise fatal from None


def _is_judged_by_guard(place: _Place) -> bool:
    """Say whether a guard gets this value next, and will report it."""
    caller = place.frame.f_back
    names = caller.f_globals if caller is not None else {}
    return not place.role and names.get("__name__") == _hot.__name__


def _is_news(value: object) -> bool:
    """Say whether an awaitable was not told of yet."""
    if _told.get(id(value)) is value:
        return False
    with contextlib.suppress(TypeError):  # one that takes no weak reference
        _told[id(value)] = value
    return True


def _expected(annotation: object) -> str:
    if isinstance(annotation, type):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")
