"""Services that tests call real, and whether they answer at their address."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .reach import NotReached, reach
from .verdict import Judgement, Verdict, services

if TYPE_CHECKING:
    from .evidence import RunEvidence

_NO_WORSE = (Verdict.PASSED, Verdict.INCOMPLETE, Verdict.NOT_RUN)


class RealServices:
    """The configured services, talked to before the first gate and after each.

    Args:
        variables: Services with the environment variables of their addresses.
        demanded: Whether each service has to be real.
        environment: Where the addresses are; ``None`` is the one of this process.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        demanded: bool,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._variables = variables
        self._demanded = demanded
        self._environment = os.environ if environment is None else environment
        self._before = {name: self._talk(name) for name in variables}

    def judge(self, judgement: Judgement, run: RunEvidence) -> Judgement:
        """Return the judgement with the evidence against services called real."""
        found = tuple(self._against(run))
        if not found:
            return judgement
        verdict = judgement.verdict
        verdict = Verdict.INCOMPLETE if verdict in _NO_WORSE else verdict
        return Judgement(verdict, (*judgement.reasons, *found))

    def _against(self, run: RunEvidence) -> Iterator[str]:
        for service in services(run.tests.values()):
            name = service["name"]
            if not service["real"] or name not in self._variables:
                continue
            # A fixture may have started it, or stopped it at its end.
            problem = self._before[name] and self._talk(name)
            if problem and (problem.is_refuted or self._demanded):
                where = self._variables[name]
                yield f"the service {name!r} at {where} was not reached: {problem.why}"

    def _talk(self, name: str) -> NotReached | None:
        return reach(self._environment.get(self._variables[name], ""))
