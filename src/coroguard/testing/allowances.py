"""Leaks that a test is allowed, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .._leaks.leak import short
from .errors import usage_error

if TYPE_CHECKING:
    from .._leaks.leak import Leak

_USAGE = '@pytest.mark.allow_leaks("pattern", reason="...")'


@dataclass
class Allowance:
    """A pattern of names that may leak, and the reason.

    Args:
        pattern: Matched, as ``fnmatch`` does, against the qualified name of the
            async function, with and without the functions it was defined in.
        reason: The reason, as the summary shows it.
        used: Whether it has matched anything.
    """

    pattern: str
    reason: str
    used: bool = False

    @classmethod
    def parse(cls, *args: object, **kwargs: object) -> Allowance:
        """Read the arguments of a marker.

        Raises:
            GuardUsageError: They are not one pattern and a reason.
        """
        match args, kwargs:
            case (str(pattern),), {"reason": str(reason), **rest} if (
                pattern and reason.strip() and not rest
            ):
                return cls(pattern, reason)
            case _:
                raise usage_error(
                    f"allow_leaks needs one pattern and a reason; write {_USAGE}."
                )

    def covers(self, leak: Leak) -> bool:
        """Return whether a leak is allowed, and mark this allowance as used."""
        names = {leak.name, short(leak.name)}
        found = any(fnmatchcase(name, self.pattern) for name in names)
        self.used = self.used or found
        return found
