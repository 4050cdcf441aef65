"""A conditional import."""

from typing import Any

from coroguard import guard


@guard
def check() -> dict[str, Any]:
    """Check every component."""
    return {}


try:
    from written.twins import check
except ImportError:
    pass
