"""The errors of coroguard.

CoroguardError
├── CoroutineLeakError (TypeError)   an awaitable got away
├── NotAwaitableError (TypeError)    a plain value was awaited
├── HealthReportError (ValueError)   a report of the wrong shape
└── GuardUsageError (TypeError)      coroguard was used wrongly
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._inspect.texts import cut
from .._inspect.texts import nearest as nearest
from .leak import Leak, LeakKind, short

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_VIOLATIONS = 20
_CODE = re.compile(r" \[CG\d{3}\]")


class CoroguardError(Exception):
    """The base of all errors of this package.

    Args:
        message: The text.
        code: Stable code of the kind of error, such as ``CG211``, which the page on
            troubleshooting explains; it ends the first paragraph. Empty for none.
    """

    def __init__(self, message: str = "", *, code: str = "") -> None:
        if code:
            # The text of another error may have brought its own.
            first, blank, rest = _CODE.sub("", message).partition("\n\n")
            message = f"{first} [{code}]{blank}{rest}"
        super().__init__(*([message] if message else []))
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        # Not through __init__, whose arguments are those of a subclass.
        return _restored, (type(self), *self.args), self.__dict__


class GuardUsageError(CoroguardError, TypeError):
    """Coroguard was used in a way that cannot work."""


class _LeakError(CoroguardError, TypeError):
    """An error that carries a leak.

    Args:
        leak: The leak.
        expected: Name of the contract; may be empty.
    """

    def __init__(self, leak: Leak, expected: str = "") -> None:
        super().__init__(_message(leak, expected), code=leak.kind.code)
        self.leak = leak
        self.expected = expected


class CoroutineLeakError(_LeakError):
    """A coroutine or another awaitable got away without being awaited."""


class NotAwaitableError(_LeakError):
    """A plain value was awaited: the leak's mirror image."""


class HealthReportError(CoroguardError, ValueError):
    """A guarded function returned a report of the wrong shape.

    Args:
        guarded: Qualified name of the guarded function.
        violations: One line each, the path first.
        expected: Name of the contract.
    """

    def __init__(
        self, guarded: str, violations: Iterable[str], expected: str = "HealthReport"
    ) -> None:
        self.guarded = guarded
        self.violations = tuple(violations)
        self.expected = expected
        wrong = [cut(line) for line in self.violations]
        more = len(wrong) - _MOST_VIOLATIONS
        if more > 0:
            wrong[_MOST_VIOLATIONS:] = [f"and {more} more, in .violations"]
        noun, fix = "value", f"return {_article(expected)}"
        if expected == "HealthReport":
            noun, fix = "report", f"{fix} without the violations above"
        super().__init__(
            labelled_lines(
                f"{_call(guarded)} returned a {noun} of the wrong shape",
                wrong=f"\n{' ' * 12}".join(wrong),
                expected=expected,
                fix=fix,
            ),
            code="CG107",
        )


# Tracebacks show the name that users import and catch.
for _error in (
    CoroguardError,
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    NotAwaitableError,
):
    _error.__module__ = "coroguard"


def leak_error(
    leak: Leak, expected: str = ""
) -> CoroutineLeakError | NotAwaitableError:
    """Return the error for a leak."""
    if leak.kind is LeakKind.NOT_AWAITABLE:
        return NotAwaitableError(leak, expected)
    return CoroutineLeakError(leak, expected)


def _restored(cls: type[CoroguardError], *args: Any) -> CoroguardError:
    return cls.__new__(cls, *args)


def _message(leak: Leak, expected: str) -> str:
    """Return the headline and the labelled lines that are known."""
    who, a_thing = _call(leak.guarded), _article(leak.what)
    match leak.kind:
        case LeakKind.DROPPED:
            headline = f"{who} left {a_thing} behind un-awaited"
        case LeakKind.SYMPTOM if leak.what.startswith("plain "):
            headline = f"{who} reported that it awaited a {leak.what}"
        case LeakKind.SYMPTOM:
            headline = f"{who} reported the text of a leaked {leak.what}"
        case LeakKind.MISUSED:
            headline = f"{who} used {a_thing} as a value"
        case LeakKind.NOT_AWAITABLE:
            headline = f"{who} awaited what is not awaitable"
        case _:
            headline = f"{who} let {a_thing} escape"
    label = "awaited" if leak.kind is LeakKind.NOT_AWAITABLE else "leaked"
    where = leak.path if leak.path not in ("", "$") else ""
    created = leak.created
    if created and leak.created_in:
        created += f", in {short(leak.created_in)}"
    return labelled_lines(
        headline,
        **{label: str(leak)},
        where=where,
        created=created,
        expected=expected,
        fix=leak.advice,
    )


def labelled_lines(headline: str, **labelled: str) -> str:
    """Join a headline with the labelled lines that have a text."""
    lines = [f"  {label + ':':<9} {text}" for label, text in labelled.items() if text]
    return "\n".join([headline, *lines])


def _call(guarded: str) -> str:
    name = short(guarded) or "the program"
    return f"{name}()" if name.replace(".", "").isidentifier() else name


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"
