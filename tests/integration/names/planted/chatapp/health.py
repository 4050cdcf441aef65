"""The health of the chat."""

from typing import Any

from coroguard import guard


@guard
def check() -> dict[str, Any]:
    """Check every component."""
    return {
        "healthy": False,
        "failed_components": ["redis"],
        "component_details": {"redis": {"status": "failed", "error": "down"}},
        "error_suggestions": ["restart redis"],
        "timestamp": "2026-01-01T00:00:00+00:00",
        "summary": "redis is down",
    }


class Manager:
    """Checks on behalf of a manager."""

    @guard
    def check(self) -> dict[str, Any]:
        """Check every component."""
        return check.__wrapped__() if hasattr(check, "__wrapped__") else check()


REGISTRY = {"redis": check}
