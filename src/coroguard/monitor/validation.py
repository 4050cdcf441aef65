"""The health validation that a path names, run under a deadline."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._inspect.texts import nearest
from ..health.endpoint import Endpoint
from .findings import Finding
from .schedule import usage_error

if TYPE_CHECKING:
    from .._leaks.errors import GuardUsageError
    from ..report.models import ComponentHealth, HealthReport

_EXAMPLE = "write module:function, such as app.health:check"


class Validation:
    """A function that returns a report, or checks by the names of their components.

    Args:
        path: Where it is, as ``module:name``.
        deadline_s: Seconds that each check may take.

    Raises:
        GuardUsageError: There is nothing at the path, or it is not a check.
    """

    def __init__(self, path: str, deadline_s: float) -> None:
        self._endpoint = Endpoint(
            _found(path), deadline_s=deadline_s, memory_s=0.0, by="coroguard monitor"
        )

    def run(self) -> list[Finding]:
        """Run the validation and return its findings; a leak fails the component."""
        return [*_findings(self._endpoint.report())]


def _findings(report: HealthReport) -> Iterator[Finding]:
    for name, component in report.component_details.items():
        took_ms = component.duration_ms
        yield Finding(
            check=name,
            status=component.status,
            text=_text(component),
            took_s=None if took_ms is None else took_ms / 1_000,
        )


def _text(component: ComponentHealth) -> str:
    if component.status == "healthy":
        return ""
    parts = (component.error_code, component.error)
    return ": ".join(part for part in parts if part) or component.status


def _found(path: str) -> Any:
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise usage_error(f"{path!r} is not the path of a check; {_EXAMPLE}")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise usage_error(
                f"there is no module {error.name!r}; {_EXAMPLE}"
            ) from None
        raise _broken(module_name, error) from error
    except Exception as error:
        raise _broken(module_name, error) from error
    for part in name.split("."):
        if not hasattr(found, part):
            hint = nearest(part, dir(found))
            raise usage_error(f"{path}: there is no {part!r}.{hint}")
        found = getattr(found, part)
    return found


def _broken(module: str, error: Exception) -> GuardUsageError:
    return usage_error(
        f"{module} cannot be imported: {type(error).__name__}: {error}; "
        f'run python -c "import {module}" to see why'
    )
