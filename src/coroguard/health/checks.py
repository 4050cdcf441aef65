"""Checks that are collected into a report, and their validation."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Never, TypeAlias

from .._inspect.awaitables import what_is
from .._inspect.callables import CLAIMED, METHODS, is_async, name_of, unwrap
from .._inspect.closing import close_refused
from .._inspect.texts import cut, nearest
from .._leaks.errors import GuardUsageError

if TYPE_CHECKING:
    from collections.abc import Callable

usage_error = partial(GuardUsageError, code="CG401")
#: Kubernetes waits one second for an answer, by default.
DEADLINE_S = 0.8
_OPTIONS = ("optional", "deadline_s")


class Checked:
    """A check with options of its own.

    Args:
        check: A function without arguments, sync or async; a method, a partial or
            a callable object will do.
        optional: Whether the service is healthy without it: where it fails, its
            component is ``degraded`` and the report stays healthy.
        deadline_s: Seconds that it may take; ``None`` for those of the collection.
        **unknown: Refused, with the nearest right name.

    Raises:
        GuardUsageError: An unknown option or value, or ``check`` is not a function.
    """

    __slots__ = ("check", "deadline_s", "is_async", "name", "optional")

    def __init__(
        self,
        check: Callable[[], Any],
        *,
        optional: bool = False,
        deadline_s: float | None = None,
        **unknown: Never,
    ) -> None:
        refuse_unknown("Checked", unknown, _OPTIONS)
        if type(optional) is not bool:
            raise usage_error(f"optional={optional!r} is neither True nor False")
        self.is_async = _is_coroutine_function(check)
        if not self.is_async:
            _refuse(check)
            self.is_async = is_async(check)
        self.check = check
        self.optional = optional
        self.deadline_s = None if deadline_s is None else seconds(deadline_s)
        #: The function's name, for events and messages.
        self.name = name_of(check)

    def __repr__(self) -> str:
        options = ", optional=True" if self.optional else ""
        if self.deadline_s is not None:
            options += f", deadline_s={self.deadline_s:g}"
        return f"Checked({self.name}{options})"


if TYPE_CHECKING:
    Check: TypeAlias = Callable[[], Any] | Checked
    #: The checks to collect, by the names of their components.
    Checks: TypeAlias = Mapping[str, Check] | Iterable[tuple[str, Check]]


def named_checks(checks: object, by: str) -> dict[str, Checked]:
    """Return checks by name, in their order.

    Args:
        checks: A mapping, or pairs of a name and a check.
        by: The function that got them, for messages.

    Raises:
        GuardUsageError: Something else, a name that is not text or comes twice, or
            what is not a check.
    """
    pairs = checks.items() if isinstance(checks, Mapping) else _pairs(checks, by)
    found: dict[str, Checked] = {}
    for name, check in pairs:
        if not isinstance(name, str) or not name:
            raise usage_error(
                f"{by} needs a name for each component, not {cut(repr(name))}"
            )
        if name in found:
            raise usage_error(f"{by} has two checks of the name {name!r}")
        if isinstance(check, Checked):
            found[name] = check
            continue
        try:
            found[name] = Checked(check)
        except GuardUsageError as error:
            raise usage_error(f"{by}, component {name!r}: {error}") from None
    return found


def names(expected: Iterable[str], by: str) -> list[str]:
    """Return the names of components that must be there.

    Raises:
        GuardUsageError: A single text, or what is not text.
    """
    found: list[Any] = [expected] if isinstance(expected, str) else list(expected)
    if isinstance(expected, str) or not all(isinstance(it, str) for it in found):
        raise usage_error(
            f"{by}: expected={cut(repr(expected))} should be a list of names"
        )
    return found


def seconds(value: object, option: str = "deadline_s", *, least: float = 0.0) -> float:
    """Return a number of seconds.

    Raises:
        GuardUsageError: It is not a finite number above zero; zero itself is right
            where ``least`` is below zero.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= least:  # type: ignore[operator,arg-type]
        kind = "a number above 0" if least >= 0 else "0 or more"
        raise usage_error(f"{option}={value!r} should be {kind}, in seconds")
    return float(value)  # type: ignore[arg-type]


def refuse_unknown(
    by: str, unknown: Mapping[str, object], known: Iterable[str]
) -> None:
    """Raise for an option that does not exist.

    Raises:
        GuardUsageError: There is one; the message has the nearest right name.
    """
    for name in unknown:
        known = list(known)
        raise usage_error(
            f"{by} has no option {name!r}; it has {', '.join(known)}."
            f"{nearest(name, known)}"
        )


def _pairs(checks: Any, by: str) -> list[tuple[Any, Any]]:
    """Return pairs of a name and a check, as they were given."""
    pairs = list(checks) if isinstance(checks, Iterable) else [checks]
    if not all(isinstance(it, tuple) and len(it) == 2 for it in pairs):
        raise usage_error(
            f"{by} takes checks by name, such as {{'database': check_database}}, "
            f"not {cut(repr(checks))}"
        )
    return pairs


def _is_coroutine_function(check: object) -> bool:
    """Return whether this is plainly one, which most checks are."""
    return type(check) is FunctionType and bool(
        check.__code__.co_flags & inspect.CO_COROUTINE
    )


def _refuse(check: Any) -> None:
    """Raise if this cannot be called for an answer."""
    what = what_is(check)
    inner = unwrap(check, through=(*CLAIMED, *METHODS))
    if what is not None:
        name = getattr(check, "__name__", "")
        close_refused(check)
        advice = f"give {name or 'the function'} itself, without calling it"
        text = f"a {what} is not a check; {advice}"
    elif isinstance(inner, type):
        text = f"{inner.__qualname__} is a class; give a function"
    elif not callable(check):
        text = f"{cut(repr(check))} cannot be called; give a function"
    elif inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        text = f"{name_of(check)} is a generator function; give one that returns"
    else:
        return
    raise usage_error(text)
