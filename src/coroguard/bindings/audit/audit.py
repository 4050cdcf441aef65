"""Names of a package whose colour contradicts how they are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..modules import load_package
from .async_methods import (
    async_methods,
    async_properties,
    names_of_async_properties,
)
from .callbacks import wrong_callbacks
from .duplicate_modules import Doubles, before_audit
from .duplicate_names import bound_twice
from .lost_tasks import asked_by_calling, lost_tasks
from .mixed_returns import mixed_returns
from .module_source import readings_of
from .overrides import overrides
from .plain_results import Plainness
from .wrong_calls import wrong_calls

if TYPE_CHECKING:
    from ..findings import Finding
    from ..modules import Loaded
    from .module_source import Reading


@dataclass(frozen=True, slots=True)
class Audit:
    """The findings of an audit; strings only.

    Args:
        package: The package.
        findings: The collisions, in the order of its modules.
        failed: The modules that could not be imported, each with the reason.
        modules: How many were read.
        left_out: The modules that were not to be read.
    """

    package: str
    findings: tuple[Finding, ...]
    failed: tuple[tuple[str, str], ...]
    modules: int
    left_out: tuple[str, ...] = ()


def audit(package: str, exclude: Sequence[str] = ()) -> Audit:
    """Import a package as deployed and look for names that collide.

    Runs no function of the package and imports nothing outside of it by
    itself. A comment ``# coroguard: ok`` with a reason, on the line of either
    place, accepts a collision.

    Args:
        package: Its name, as it is imported.
        exclude: Patterns of modules that are left out, with all below them.

    Raises:
        GuardUsageError: There is no such package, or a pattern fits no module.
    """
    before = before_audit()
    loaded = load_package(package, exclude)
    readings = readings_of(loaded.modules.values())
    doubles = Doubles(readings, before)
    found = dict.fromkeys(_findings(loaded, readings, doubles))
    return Audit(
        package=package,
        findings=tuple(found),
        failed=tuple(loaded.failed.items()),
        modules=len(loaded.modules),
        left_out=tuple(loaded.left_out),
    )


def _findings(
    loaded: Loaded, readings: list[Reading], doubles: Doubles
) -> Iterator[Finding]:
    plainness = Plainness(readings)
    properties = names_of_async_properties(readings)
    for reading in readings:
        yield from bound_twice(reading, plainness)
        yield from wrong_calls(reading, plainness)
        yield from wrong_callbacks(reading)
        yield from async_methods(reading)
        yield from async_properties(reading, properties)
        yield from mixed_returns(reading, readings, plainness)
        yield from lost_tasks(reading)
        yield from asked_by_calling(reading)
    # These need no source.
    for module in loaded.modules.values():
        yield from overrides(module, plainness)
    yield from doubles.two_names()
    yield from doubles.shadowed()
