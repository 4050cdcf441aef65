"""Values that their annotations do not allow: leaks, and wrong types."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from inspect import CO_COROUTINE
from types import FrameType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin
from weakref import WeakValueDictionary

from .._guard.judge import act
from .._inspect.awaitables import what_is
from .._inspect.callables import MARK, QUIET_MARK
from .._inspect.closing import close_refused
from .._inspect.promises import mentions, promises
from .._leaks.errors import CoroguardError, leak_error
from .._leaks.leak import LeakKind, labelled_lines
from .._leaks.origins import place, record
from .._leaks.scan import scan
from .._runtime.modes import Mode, process
from .typeguard_checks import mismatch, type_error

# Awaitables that were reported and let pass, each once.
_reported: WeakValueDictionary[int, Any] = WeakValueDictionary()
# Places whose values were reported to have a wrong type, or not to be judged.
_places: set[tuple[str, ...]] = set()


class _Types:
    """Whether a wrong type raises, where no coroutine has to do with it."""

    raise_: bool = False


def raise_types() -> None:
    """Raise for any wrong type from now on."""
    _Types.raise_ = True


class Place(NamedTuple):
    """The place of a value.

    Args:
        role: ``argument``, ``variable``, ``yielded value``; empty for a result.
        name: The name of the argument or the variable.
        annotation: The annotation, evaluated.
        frame: The frame of the function.
    """

    role: str
    name: str
    annotation: Any
    frame: FrameType

    def __str__(self) -> str:
        what = self.role or "the return value"
        return f"{what} {self.name!r}" if self.name else what


def judge(value: object, where: Place, mode: Mode, function: Any) -> None:
    """Report a coroutine in the place of an annotated value, and any wrong type.

    Args:
        value: The value.
        where: The place.
        mode: The mode that holds; not ``off``.
        function: The function, if it is still there.

    Raises:
        CoroguardError: A coroutine, where the mode raises leaks.
        TypeCheckError: Any other wrong value, where types were asked for.
    """
    names = where.frame.f_globals
    wrong: str | None
    unjudged: Exception | None = None
    try:
        wrong = mismatch(value, where.annotation, names)
    except Exception as error:
        unjudged, wrong = error, None
    if wrong is None and (unjudged is None or what_is(value) is None):
        if unjudged is not None:
            _report_once(mode, where, "cannot be checked", repr(unjudged))
        return
    leaked = _leaked(value, where)
    if leaked:
        _refuse(where, leaked, mode)
    elif wrong is not None and not _is_excused(value, where, function):
        text = f"{where} ({type(value).__name__}) {wrong}"
        if _Types.raise_ and mode is not Mode.OBSERVE:
            raise type_error(text)
        _report_once(mode, where, "does not match its annotation", wrong)


def _is_excused(value: object, where: Place, function: Any) -> bool:
    """Return whether a wrong type is how Python is written.

    A parameter may have any default, such as ``None`` or a marker for "not given",
    and a comparison may be left to the other operand.
    """
    if value is NotImplemented:
        return True
    defaults = getattr(function, "__defaults__", None) or ()
    named: dict[str, Any] = getattr(function, "__kwdefaults__", None) or {}
    is_parameter = where.role in ("argument", "variable")
    return is_parameter and any(it is value for it in (*defaults, *named.values()))


def _report_once(mode: Mode, where: Place, how: str, why: str) -> None:
    """Emit an event about one place, the first time only."""
    code = where.frame.f_code
    at = place(code.co_filename, code.co_firstlineno)
    key = (at, where.role, where.name, how)
    if key in _places:
        return
    _places.add(key)
    text = labelled_lines(
        f"{where} of {code.co_qualname}() {how}",
        where=f"{at}: def {code.co_name}",
        expected=_expected(where.annotation),
        found=why,
        fix="correct the annotation or the value",
    )
    act(mode, code.co_qualname, [CoroguardError(text, code="CG108")], raises=False)


def _leaked(value: object, where: Place) -> list[tuple[object, CoroguardError]]:
    """Return the awaitables in a value that its annotation does not allow."""
    annotation = where.annotation
    if what_is(value) is not None:
        if promises(annotation, value):
            return []
        return [(value, _error(where, value, "$"))]
    return [
        (found.value, _error(where, found.value, found.path))
        for found in scan(value, limit=process.scan_limit).found
        if not mentions(annotation, found.value)
    ]


def _error(where: Place, value: object, path: str) -> CoroguardError:
    """Return the error of one awaitable, as seen by the function that met it."""
    is_returned = not where.role and path == "$"
    kind = LeakKind.RETURNED if is_returned else LeakKind.NESTED
    if where.role:
        path = str(where) if path == "$" else f"{where}, {path}"
    code = where.frame.f_code
    leak = record(kind, what_is(value) or "awaitable", value, path=path)
    if where.role == "argument":  # the caller made it, so the caller has to await
        leak = replace(leak.within("", is_async=True), guarded=code.co_qualname)
    else:
        is_async = bool(code.co_flags & CO_COROUTINE)
        leak = leak.within(code.co_qualname, is_async=is_async)
    return leak_error(leak, _expected(where.annotation))


def _refuse(
    where: Place, leaked: list[tuple[object, CoroguardError]], mode: Mode
) -> None:
    """Report leaks, then raise the first where the mode raises leaks."""
    if mode is Mode.OBSERVE:
        if _is_judged_by_guard(where):
            return
        leaked = [(value, error) for value, error in leaked if _is_news(value)]
        if not leaked:
            return
    fatal = act(mode, where.frame.f_code.co_qualname, [error for _, error in leaked])
    if fatal is None:
        return
    for value, _ in leaked:
        close_refused(value)
    raise fatal from None


def _is_judged_by_guard(where: Place) -> bool:
    """Return whether a guard gets this value next, and will report it."""
    caller = where.frame.f_back
    names = caller.f_code.co_freevars if caller is not None else ()
    return not where.role and (MARK in names or QUIET_MARK in names)


def _is_news(value: object) -> bool:
    """Return whether an awaitable was not reported yet."""
    if _reported.get(id(value)) is value:
        return False
    with contextlib.suppress(TypeError):  # one that takes no weak reference
        _reported[id(value)] = value
    return True


def _expected(annotation: object) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return "None" if annotation is type(None) else annotation.__qualname__
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(_expected(it) for it in get_args(annotation))
    return str(annotation).replace("typing.", "")
