"""A later definition."""

from typing import Any

from coroguard import guard


@guard
def check() -> dict[str, Any]:
    """Check every component."""
    return {}


async def check() -> dict[str, Any]:
    """Check every component."""
    return {}
