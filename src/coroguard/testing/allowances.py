"""Which leaks is a test allowed, and why?"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .._leaks.errors import GuardUsageError
from .._leaks.leak import short

if TYPE_CHECKING:
    from .._leaks.leak import Leak

__all__ = ["Allowance"]

_TYPE = '@pytest.mark.allow_leaks("pattern", reason="...")'


@dataclass
class Allowance:
    """A pattern of names, and the reason why these may leak.

    Args:
        pattern: Matched, as ``fnmatch`` does, against the qualified name of the
            async function, with and without the functions it was defined in.
        reason: Why.
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
                raise GuardUsageError(
                    f"allow_leaks needs one pattern and a reason; type {_TYPE}."
                )

    def covers(self, leak: Leak) -> bool:
        """Say whether a leak is allowed, and remember that it was."""
        names = {leak.name, short(leak.name)}
        found = any(fnmatchcase(name, self.pattern) for name in names)
        self.used = self.used or found
        return found
