"""What does a test say that it really did?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AMOUNTS", "GateRecord", "MissingService"]

AMOUNTS = ("scenarios", "faults", "messages", "users")


class MissingService(BaseException):
    """A service that a gate needs is not there: the gate is INCOMPLETE.

    No `Exception`, as pytest's own outcomes: the code under test must not swallow it.

    Args:
        service: The service's name.
        why: What was tried and what came of it.
    """

    def __init__(self, service: str, why: str) -> None:
        super().__init__(service, why)
        self.service = service
        self.why = why

    def __str__(self) -> str:
        return f"{self.service} is missing: {self.why}"


class GateRecord:
    """What one test did for its gate; nobody reads it outside `coroguard gate`.

    Args:
        verdicts: The verdicts of the gates that this run has judged so far, by name.
    """

    def __init__(self, verdicts: Mapping[str, str] | None = None) -> None:
        self.verdicts: Mapping[str, str] = dict(verdicts or {})
        self._amounts: dict[str, int] = {}
        self._services: list[dict[str, Any]] = []
        self._missing: list[dict[str, str]] = []
        self._measures: list[dict[str, Any]] = []

    def did(
        self,
        *,
        scenarios: int | None = None,
        faults: int | None = None,
        messages: int | None = None,
        users: int | None = None,
    ) -> None:
        """Add to what this test did.

        What is named and comes to 0 over the whole gate is no evidence: INCOMPLETE.

        Raises:
            ValueError: An amount is negative.
        """
        named = (scenarios, faults, messages, users)
        for kind, amount in zip(AMOUNTS, named, strict=True):
            if amount is None:
                continue
            if amount < 0:
                raise ValueError(f"{kind}={amount}: what was done cannot be negative")
            self._amounts[kind] = self._amounts.get(kind, 0) + amount

    def service(self, name: str, *, real: bool, version: str = "") -> None:
        """Say that a service was used, and whether it was the real thing."""
        self._services.append({"name": name, "real": real, "version": version})

    def missing(self, name: str, why: str) -> NoReturn:
        """End the test: without this service the gate cannot be judged.

        Raises:
            MissingService: Always. Even when it is swallowed, the gate is INCOMPLETE.
        """
        self._missing.append({"name": name, "why": why})
        raise MissingService(name, why)

    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Show a number in the report, such as a percentile."""
        self._measures.append({"name": name, "value": float(value), "unit": unit})

    def to_json(self) -> dict[str, Any]:
        """Return what was said, as plain data."""
        return {
            "amounts": dict(self._amounts),
            "services": list(self._services),
            "missing": list(self._missing),
            "measures": list(self._measures),
        }
