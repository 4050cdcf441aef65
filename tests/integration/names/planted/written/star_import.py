"""A star import."""

from typing import Any

from coroguard import guard


@guard
def check() -> dict[str, Any]:
    """Check every component."""
    return {}


from written.twins import *
