"""Findings of a gate, all of them in one error."""

from __future__ import annotations

from functools import partial

from coroguard._inspect.texts import cut
from coroguard._leaks.errors import CoroguardError, GuardUsageError

usage_error = partial(GuardUsageError, code="CG241")
_SHOWN = 12


class GateFailed(CoroguardError, AssertionError):  # noqa: N818  # a verdict
    """A gate failed; one line for each finding."""


class Findings:
    """The findings of a gate, which reports all of them and not only the first.

    Args:
        gate: The name of the gate.
        enough: After how many findings the gate can stop.
    """

    def __init__(self, gate: str, *, enough: int = 5) -> None:
        self._gate = gate
        self._enough = enough
        self._lines: list[str] = []

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def enough(self) -> bool:
        """Whether there are so many findings that the gate can stop."""
        return len(self._lines) >= self._enough

    def add(self, where: str, what: str) -> None:
        """Add a finding."""
        self._lines.append(f"{where}: {what}")

    def equal(self, where: str, actual: object, expected: object, what: str) -> None:
        """Add a finding if a value is not the expected one."""
        if actual != expected:
            self.add(where, f"{what} is {cut(repr(actual))}, not {cut(repr(expected))}")

    def raise_if_any(self) -> None:
        """Fail the gate if there are findings.

        Raises:
            GateFailed: With every finding, the first in its headline.
        """
        if not self._lines:
            return
        shown = self._lines[:_SHOWN]
        if len(self._lines) > _SHOWN:
            shown.append(f"and {len(self._lines) - _SHOWN} more")
        raise GateFailed("\n  ".join([f"{self._gate}: {shown[0]}", *shown[1:]]))
