"""A health endpoint, apart from any framework."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    Never,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
)

from .._inspect.callables import is_async
from .._inspect.closing import close_refused
from .._inspect.texts import nearest
from ..report.models import HealthReport
from .answers import RAISED, Outcome
from .checks import DEADLINE_S, names, refuse_unknown, usage_error
from .log import log_exception
from .loop import run_outside
from .response import DETAILS, METHODS, Detail, Response, not_allowed, response_of
from .shared import MEMORY_S, HealthChecks
from .sources import failed_report, is_source, round_maker, valid_report

App = TypeVar("App")
#: The question of a probe: whether to restart the process, whether to send it requests,
#: or whether it has started.
Probe: TypeAlias = Literal["liveness", "readiness", "startup"]
_PROBES: Final = ("readiness", "liveness", "startup")
_RESPONSE_OPTIONS: Final = ("method", "accept", "reveal", "deadline_s", "expected")
_OPTIONS: Final = ("probe", "deadline_s", "memory_s", "expected", "reveal")


class Options(TypedDict, total=False):
    """The options of a health endpoint, which every adapter passes on."""

    probe: Probe
    deadline_s: float
    memory_s: float
    expected: Iterable[str]
    reveal: bool | Detail | Callable[[Any], Any]


class Endpoint:
    """An endpoint, from which the adapters of all frameworks get their answers.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async; or ``HealthChecks``, with options of their own. A
            liveness probe has none.
        probe: ``readiness`` runs the checks; ``liveness`` only shows that the
            process answers; ``startup`` runs them until they were healthy once.
        deadline_s: Seconds that each check may take. Kubernetes waits one second for
            the whole answer unless its ``timeoutSeconds`` is set.
        memory_s: Seconds for which a report is given to later requests too.
        expected: Names that must be among the components.
        reveal: Whether an answer shows errors and details; a function gets the
            request and returns True, False, ``none``, ``status`` or ``full``.
        by: The name of the adapter, for messages.
        takes_async: Whether ``reveal`` may be async.
        **unknown: Refused, with the nearest right name.

    Raises:
        GuardUsageError: An unknown option or value, or ``check`` is not one.
    """

    def __init__(
        self,
        check: Any = None,
        *,
        probe: Probe = "readiness",
        deadline_s: float = DEADLINE_S,
        memory_s: float = MEMORY_S,
        expected: Iterable[str] = (),
        reveal: bool | Detail | Callable[[Any], Any] = False,
        by: str = "HealthEndpoint",
        takes_async: bool = True,
        **unknown: object,
    ) -> None:
        refuse_unknown(by, unknown, _OPTIONS)
        if probe not in _PROBES:
            hint = nearest(str(probe), _PROBES)
            raise usage_error(
                f"probe={probe!r} should be one of {', '.join(_PROBES)}.{hint}"
            )
        self.probe: Probe = probe
        self._reveal = checked_reveal(reveal, takes_async=takes_async)
        self._has_started = False
        self._checks: HealthChecks | None = None
        if probe == "liveness":
            if check is not None:
                raise usage_error(
                    "a liveness probe touches no dependency, or an outage would "
                    f"restart the service: {by} takes no checks with probe='liveness'"
                )
            return
        if isinstance(check, HealthChecks):
            self._checks = check
            return
        self._checks = HealthChecks(
            check, deadline_s=deadline_s, memory_s=memory_s, expected=expected, by=by
        )

    async def arespond(self, request: Any, method: str, accept: str) -> Response:
        """Return the answer to a request."""
        if method not in METHODS:
            return not_allowed()
        detail = await _arevealed(self._reveal, request)
        return self._answer(await self.areport(), method, accept, detail)

    def respond(self, request: Any, method: str, accept: str) -> Response:
        """Return the answer to a request in sync code."""
        if method not in METHODS:
            return not_allowed()
        detail = _revealed(self._reveal, request)
        return self._answer(self.report(), method, accept, detail)

    async def areport(self) -> HealthReport:
        """Return the report itself."""
        checks = self._to_ask()
        return _alive(self.probe) if checks is None else await checks.acollect()

    def report(self) -> HealthReport:
        """Return the report itself in sync code."""
        checks = self._to_ask()
        return _alive(self.probe) if checks is None else checks.collect()

    def _to_ask(self) -> HealthChecks | None:
        """Return the checks, or ``None`` where the answer needs none."""
        return None if self._has_started else self._checks

    def _answer(
        self, report: HealthReport, method: str, accept: str, detail: Detail
    ) -> Response:
        if self.probe == "startup" and report.healthy:
            self._has_started = True
        return answer(report, method, accept, detail)


def answer(report: HealthReport, method: str, accept: str, detail: Detail) -> Response:
    """Return the answer with this report, without details that cannot be written."""
    try:
        return response_of(report, method=method, accept=accept, detail=detail)
    except Exception as error:  # details that another thread changes
        log_exception("the answer", error)
        kind = type(error).__qualname__
        report = failed_report(Outcome.failed(RAISED, kind))
        return response_of(report, method=method, accept=accept, detail="status")


def _alive(probe: Probe) -> HealthReport:
    """Return the report of a process that has nothing to check."""
    return HealthReport(
        healthy=True,
        failed_components=[],
        component_details={},
        error_suggestions=[],
        timestamp=datetime.now(UTC),
        summary="the service has started" if probe == "startup" else "alive",
    )


def checked_reveal(reveal: Any, *, takes_async: bool) -> Any:
    """Return a value of the option ``reveal``.

    Raises:
        GuardUsageError: It is something else, or an async function in a sync adapter.
    """
    if isinstance(reveal, bool) or reveal in DETAILS:
        return reveal
    if not callable(reveal):
        raise usage_error(
            f"reveal={reveal!r} should be True, False, {', '.join(map(repr, DETAILS))} "
            "or a function of the request"
        )
    if is_async(reveal) and not takes_async:
        raise usage_error(
            f"reveal={reveal!r} is async, and this adapter does not await it"
        )
    return reveal


def _revealed(reveal: Any, request: Any) -> Detail:
    """Return how much to show; a function that fails or leaks reveals nothing."""
    try:
        found = reveal(request) if callable(reveal) else reveal
    except Exception as error:
        log_exception("reveal", error)
        return "status"
    close_refused(found)
    return _level(found)


class MountedEndpoint(Generic[App]):
    """An application of a server protocol that answers probes.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        around: The application that gets every other request.
        path: The path of the endpoint, where it is put around an application.
        **options: Those of a health endpoint.
    """

    takes_async: ClassVar[bool]

    def __init__(
        self,
        check: Any = None,
        *,
        around: App | None = None,
        path: str = "/health",
        **options: Unpack[Options],
    ) -> None:
        self._endpoint = Endpoint(check, takes_async=self.takes_async, **options)
        self._around = around
        self._path = path.rstrip("/")

    def _is_at(self, path: str) -> bool:
        """Return whether a request for this path is one for the endpoint."""
        return self._around is None or path.rstrip("/") == self._path


async def _arevealed(reveal: Any, request: Any) -> Detail:
    """Return how much to show; the function may be async."""
    try:
        found = reveal(request) if callable(reveal) else reveal
        return _level(await found if inspect.isawaitable(found) else found)
    except Exception as error:
        log_exception("reveal", error)
        return "status"


def _level(found: object) -> Detail:
    if found is True:
        return "full"
    return found if isinstance(found, str) and found in DETAILS else "status"  # type: ignore[return-value]


def health_response(
    check: Any,
    *,
    method: str = "GET",
    accept: str = "",
    reveal: bool | Detail = False,
    deadline_s: float = DEADLINE_S,
    expected: Iterable[str] = (),
    **unknown: Never,
) -> Response:
    """Return the answer to a probe, for a framework that has no adapter.

    Args:
        check: A report that was found, or what finds one: checks by the names of
            their components, or a function that returns a report. Whatever else
            it is, the answer is 503.
        method: The method of the request.
        accept: Its ``Accept`` header.
        reveal: Whether to show errors and details: True, False, or ``none`` for one
            word, ``status`` or ``full``.
        deadline_s: Seconds that each check may take.
        expected: Names that must be among the components.
        **unknown: Refused, with the nearest right name.

    Returns:
        Status, headers and body. 200 for a healthy report, degraded or not; 503 for
        any other, for a leak, an exception, a deadline and no checks; 405 for a
        method other than GET and HEAD.

    Raises:
        GuardUsageError: An unknown option or value.
    """
    by = "health_response()"
    refuse_unknown(by, unknown, _RESPONSE_OPTIONS)
    detail = _level(checked_reveal(reveal, takes_async=False))
    if method not in METHODS:
        return not_allowed()
    if is_source(check):
        make = round_maker(check, by=by, deadline_s=deadline_s, expected=expected)
        made = make()
        report = run_outside(made.finish, made.deadline_s, lambda _: made.force())
    else:
        report = valid_report(check, names(expected, by))
    return answer(report, method, accept, detail)
