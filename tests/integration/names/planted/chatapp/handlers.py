"""Answers to a client when something has failed."""

from typing import Any

from coroguard import guard


@guard(returns=Any)
def function() -> list[str]:
    """Ask the check whose name is imported in the handler, as in the outage."""
    try:
        raise ConnectionError("redis")
    except ConnectionError:
        from chatapp.health import check

        report = check()
        return report.get("error_suggestions", [])


@guard(returns=Any)
def method() -> list[str]:
    """Ask the manager, whose class is imported in the handler."""
    try:
        raise ConnectionError("redis")
    except ConnectionError:
        from chatapp.health import Manager

        report = Manager().check()
        return report.get("error_suggestions", [])


@guard(returns=Any)
def registry() -> list[str]:
    """Ask the check that the registry holds."""
    try:
        raise ConnectionError("redis")
    except ConnectionError:
        from chatapp.health import REGISTRY

        report = REGISTRY["redis"]()
        return report.get("error_suggestions", [])
