"""The other team's check."""

from typing import Any


async def check() -> dict[str, Any]:
    """Check every component, for callers that await."""
    return {}
