"""The errors of coroguard.

CoroguardError
├── CoroutineLeakError (TypeError)   an awaitable got away
├── NotAwaitableError (TypeError)    a plain value was awaited
├── HealthReportError (ValueError)   a report of the wrong shape
└── GuardUsageError (TypeError)      coroguard was used wrongly
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .._inspect.texts import cut
from .leak import Leak, LeakKind, as_call, labelled_lines, message_of, with_article

_MOST_VIOLATIONS = 20
_CODE = re.compile(r" \[CG\d{3}\]")


class CoroguardError(Exception):
    """The base of all errors of this package.

    Args:
        message: The text.
        code: Stable code of the kind of error, such as ``CG211``, which the page on
            troubleshooting explains; it ends the first paragraph. Empty for that
            of the class.
    """

    _code = ""

    def __init__(self, message: str = "", *, code: str = "") -> None:
        code = code or self._code
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
        super().__init__(message_of(leak, expected), code=leak.kind.code)
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
        noun, fix = "value", f"return {with_article(expected)}"
        if expected == "HealthReport":
            noun, fix = "report", f"{fix} without the violations above"
        super().__init__(
            labelled_lines(
                f"{as_call(guarded)} returned a {noun} of the wrong shape",
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
