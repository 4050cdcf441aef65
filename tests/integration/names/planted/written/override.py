"""An override."""

from typing import Any

from coroguard import guard


class Manager:
    """Checks on behalf of a manager."""

    @guard
    def check(self) -> dict[str, Any]:
        """Check every component."""
        return {}


class RedisManager(Manager):
    """Checks Redis."""

    async def check(self) -> dict[str, Any]:
        """Check Redis."""
        return {}
