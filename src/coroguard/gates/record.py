"""The record of a test's real work."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, NoReturn

AMOUNTS = ("scenarios", "faults", "messages", "requests", "users", "schedules")


class MissingService(BaseException):
    """A service that a gate needs is missing: the gate is INCOMPLETE.

    A `BaseException`, like pytest's outcomes: the code under test must not swallow it.

    Args:
        service: The service's name.
        why: What was tried, and the result.
    """

    def __init__(self, service: str, why: str) -> None:
        super().__init__(service, why)
        self.service = service
        self.why = why

    def __str__(self) -> str:
        return f"{self.service} is missing: {self.why}"


class GateRecord:
    """The record of one test for its gate, which only `coroguard gate` reads.

    A value of the wrong type is refused and fails the test, even where the code
    under test swallows the error.

    Args:
        verdicts: The verdicts of the gates that this run has judged so far, by name.
    """

    def __init__(self, verdicts: Mapping[str, str] | None = None) -> None:
        self.verdicts: Mapping[str, str] = dict(verdicts or {})
        self._amounts: dict[str, int] = {}
        self._services: list[dict[str, Any]] = []
        self._missing: list[dict[str, str]] = []
        self._measures: list[dict[str, Any]] = []
        self._refused: list[str] = []

    def did(
        self,
        *,
        scenarios: int | None = None,
        faults: int | None = None,
        messages: int | None = None,
        requests: int | None = None,
        users: int | None = None,
        schedules: int | None = None,
    ) -> None:
        """Add to the work of this test.

        An amount that is named and is 0 for the whole gate makes it INCOMPLETE.

        Raises:
            TypeError: An amount is not a whole number; a ``bool`` is not.
            ValueError: An amount is negative.
        """
        named = (scenarios, faults, messages, requests, users, schedules)
        for kind, amount in zip(AMOUNTS, named, strict=True):
            if amount is not None:
                whole = self._whole(kind, amount)
                self._amounts[kind] = self._amounts.get(kind, 0) + whole

    def service(self, name: str, *, real: bool, version: str = "") -> None:
        """Record that a service was used, and whether it was the real one.

        Raises:
            TypeError: ``real`` is not a ``bool``, or a text is not a ``str``.
        """
        for value, kind in ((name, str), (real, bool), (version, str)):
            if type(value) is not kind:
                self._refuse(TypeError(f"service: {value!r} is not a {kind.__name__}"))
        self._services.append({"name": name, "real": real, "version": version})

    def missing(self, name: str, why: str) -> NoReturn:
        """End the test: without this service the gate cannot be judged.

        Raises:
            MissingService: Always. Where it is swallowed, the gate is INCOMPLETE too.
        """
        self._missing.append({"name": name, "why": why})
        raise MissingService(name, why)

    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Show a number in the report, such as a percentile.

        Raises:
            TypeError: The value is not a number; a ``bool`` is not.
            ValueError: It is infinite or not a number (NaN).
        """
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            self._refuse(TypeError(f"{name}={value!r}: a measure is a number"))
        if not math.isfinite(number):
            self._refuse(ValueError(f"{name}={value!r}: a measure is a finite number"))
        measure = {"name": str(name), "value": number, "unit": str(unit)}
        self._measures.append(measure)

    def _whole(self, kind: str, amount: Any) -> int:
        if isinstance(amount, bool) or not hasattr(amount, "__index__"):
            self._refuse(TypeError(f"{kind}={amount!r}: an amount is a whole number"))
        whole = operator.index(amount)
        if whole < 0:
            self._refuse(ValueError(f"{kind}={whole}: an amount cannot be negative"))
        return whole

    def _refuse(self, error: Exception) -> NoReturn:
        self._refused.append(str(error))
        raise error

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return {
            "amounts": dict(self._amounts),
            "services": list(self._services),
            "missing": list(self._missing),
            "measures": list(self._measures),
            "refused": list(self._refused),
        }
