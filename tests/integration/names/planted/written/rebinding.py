"""A rebinding."""

from written import twins

from typing import Any

from coroguard import guard


@guard
def check() -> dict[str, Any]:
    """Check every component."""
    return {}


check = twins.check
