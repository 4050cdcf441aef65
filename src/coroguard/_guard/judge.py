"""The judgement of a guarded call: what it returned, and what it left behind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._inspect.awaitables import COROUTINES, is_coroutine
from .._inspect.closing import close_refused
from .._inspect.promises import mentions
from .._leaks.errors import CoroguardError, HealthReportError, leak_error
from .._leaks.explain import explain
from .._leaks.leak import Leak, LeakKind, short
from .._leaks.origins import record
from .._leaks.scan import scan
from .._runtime.collector import interrupted
from .._runtime.events import Event, emit
from .._runtime.modes import Mode, current, process
from .._runtime.scopes import note

if TYPE_CHECKING:
    from .._leaks.scan import Found
    from .._runtime.events import Outcome
    from .contracts import Contract
    from .terms import Terms

_DID = {
    LeakKind.MISUSED: "was used as a value in",
    LeakKind.NOT_AWAITABLE: "was awaited in",
}
_RAISED_BY_ENFORCE = (LeakKind.RETURNED, LeakKind.NESTED)


@dataclass(slots=True, eq=False, repr=False)
class _Findings:
    """The faults of a value.

    Args:
        leaks: The awaitables and the texts of leaks.
        refused: The awaitables themselves.
        violations: How the value breaks its contract, where no leak explains it.
        complete: Whether the whole value was read.
        problem: Why it could not be judged, else empty.
    """

    leaks: list[Leak] = field(default_factory=list)
    refused: list[object] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    complete: bool = True
    problem: str = ""


def judge(
    terms: Terms,
    value: object,
    what: str | None,
    drops: list[Leak],
    started: float | None,
) -> tuple[CoroguardError | None, Outcome | None]:
    """Judge what a guarded call returned, not plainly right, and left behind.

    Every finding is emitted before this returns.

    Args:
        terms: Those of the guard.
        value: What the call returned.
        what: What that is, as ``what_is`` names it.
        drops: What the call left behind.
        started: ``perf_counter()`` at its start, where it is known.

    Returns:
        The error to raise, or ``None``, and what is wrong with the call, or
        ``None``.
    """
    contract, mode = terms.contract, terms.pinned or current()
    if mode is Mode.OFF:
        return None, None
    try:
        found = _look_at(terms, value, what)
    except Exception as error:  # it is the value that the caller has to get
        found = _Findings(problem=f"{type(error).__name__}: {error}")
    if found.problem:
        _report_unjudged(terms, mode, found.problem)
    awaitables = len(found.refused)
    found.leaks[awaitables:awaitables] = drops
    errors = [_leak(terms, leak) for leak in found.leaks]
    if found.violations:
        errors.append(
            HealthReportError(terms.name, found.violations, contract.expected)
        )
    if not errors and found.complete:
        return None, None
    fatal = act(mode, terms.name, errors, started=started, complete=found.complete)
    if fatal is not None:
        for one in found.refused:
            close_refused(one)
    return fatal, "leaked" if found.leaks else "invalid" if errors else None


def judge_drops(
    terms: Terms, drops: list[Leak], started: float | None
) -> CoroguardError | None:
    """Judge what a guarded call left behind, before its value can be judged."""
    mode = terms.mode
    if not drops or mode is Mode.OFF:
        return None
    return act(mode, terms.name, [_leak(terms, it) for it in drops], started=started)


def act(
    mode: Mode,
    guarded: str,
    errors: list[CoroguardError],
    *,
    started: float | None = None,
    complete: bool = True,
    conversions: bool = False,
    raises: bool = True,
) -> CoroguardError | None:
    """Emit an event for each error and return the one to raise, if any.

    Args:
        mode: The mode that holds.
        guarded: Name of the guard or watch.
        errors: What was found, the gravest first.
        started: ``perf_counter()`` at the start of the guarded call.
        complete: Whether the whole value was scanned.
        conversions: Raise leaks that an exception in flight revealed.
        raises: Whether the caller can raise at all; else all is only reported.
    """
    fatal = None
    if raises:
        fatal = next((e for e in errors if _is_fatal(mode, e, conversions)), None)
    duration_ms = None if started is None else (time.perf_counter() - started) * 1_000
    now = datetime.now(UTC)
    found: list[CoroguardError | None] = [*errors] or [None]
    for error in found:
        leak = getattr(error, "leak", None)
        event = Event(
            leak=leak,
            error=error,
            action="raised" if error is not None and error is fatal else "reported",
            mode=mode,
            guarded=guarded,
            at=now,
            duration_ms=duration_ms,
            complete=complete,
        )
        emit(event, None if leak is None else note(leak))
        if fatal is not None and error is not fatal and leak is not None:
            fatal.add_note(f"also: {leak.kind.value}: {leak}")
    return fatal


def note_on(
    exception: BaseException,
    mode: Mode,
    guarded: str,
    leaks: Iterable[Leak],
    *,
    started: float | None = None,
) -> None:
    """Emit leaks that came to light with an exception, and add them as notes."""
    duration_ms = None if started is None else (time.perf_counter() - started) * 1_000
    for leak in leaks:
        event = Event(
            leak=leak,
            error=leak_error(leak),
            action="noted",
            mode=mode,
            guarded=guarded,
            at=datetime.now(UTC),
            duration_ms=duration_ms,
        )
        emit(event, note(leak))
        did = _DID.get(leak.kind, "was left behind un-awaited in")
        text = f"coroguard: {leak} {did} {short(guarded)}; {leak.advice}"
        with contextlib.suppress(Exception):  # one that refuses notes passes bare
            BaseException.add_note(exception, text)


def forgive(
    terms: Terms, exception: BaseException, drops: list[Leak], started: float | None
) -> None:
    """Name on a passing exception what the guarded call left behind."""
    mode = terms.mode
    if mode is Mode.OFF or isinstance(exception, GeneratorExit):
        return
    leaks = [drop.within(terms.name, is_async=terms.is_async) for drop in drops]
    # Explaining parses source. CPython 3.11 may be building a syntax tree when the
    # collector interrupts it, and loses count when another is built meanwhile.
    if interrupted() is None and not isinstance(exception, CoroguardError):
        cause = explain(exception)
        if cause is not None and cause.name not in {leak.name for leak in leaks}:
            leaks.append(cause.within(terms.name, is_async=terms.is_async))
    if leaks:
        note_on(exception, mode, terms.name, leaks, started=started)


def _look_at(terms: Terms, value: object, what: str | None) -> _Findings:
    """Look at a value and inside it."""
    contract = terms.contract
    if what is not None:
        is_leak = is_coroutine(what) or bool(contract.violations(value))
        if not is_leak or terms.announce(value):
            return _Findings(problem=contract.take_problem())
        leak = record(LeakKind.RETURNED, what, value, path="$")
        return _Findings([leak], [value], problem=contract.take_problem())
    promised = terms.settle()
    result = scan(value, limit=process.scan_limit, quoted=contract.is_report)
    # The contract decides about tasks and the like, a report about all; and where a
    # leak is the reason, what else is wrong is not of interest.
    is_asked = not (contract.is_report or contract.is_open) and any(
        it.what not in COROUTINES for it in result.found
    )
    violations = contract.violations(value) if is_asked else []
    leaked = [it for it in result.found if _is_leak(contract, it, violations, promised)]
    if not leaked and not is_asked:
        violations = contract.violations(value)
        is_asked = True
    leaks = [record(LeakKind.NESTED, it.what, it.value, path=it.path) for it in leaked]
    return _Findings(
        [*leaks, *result.symptoms],
        [it.value for it in leaked],
        [] if leaked else violations,
        result.complete,
        contract.take_problem() if is_asked else "",
    )


def _is_leak(
    contract: Contract,
    found: Found,
    violations: list[str],
    promised: tuple[object, ...],
) -> bool:
    """Return whether an awaitable inside a value is a leak, by who owns it.

    A coroutine is one unless an object keeps it in an attribute that its class
    does not declare. All else runs by itself or is made to be handed on, and is
    one only where the contract refuses it.
    """
    if found.what in COROUTINES:
        is_leak = found.declared or contract.is_report
    elif contract.is_open:
        is_leak = False
    else:
        is_leak = contract.is_report or any(
            _is_about(line, found.path) for line in violations
        )
    return is_leak and not any(mentions(type_, found.value) for type_ in promised)


def _is_about(violation: str, path: str) -> bool:
    """Return whether a line about a wrong value concerns what is at this path."""
    place = violation.partition(": ")[0]
    if not place.startswith("$"):
        place = f"${place}" if place.startswith("[") else f"$.{place}"
    return path.startswith(place) or place.startswith(path)


def _report_unjudged(terms: Terms, mode: Mode, problem: str) -> None:
    emit(
        Event(
            leak=None,
            error=None,
            action="unjudged",
            mode=mode,
            guarded=terms.name,
            at=datetime.now(UTC),
            reason=problem,
        )
    )


def _leak(terms: Terms, leak: Leak) -> CoroguardError:
    return leak_error(
        leak.within(terms.name, is_async=terms.is_async), terms.contract.expected
    )


def _is_fatal(mode: Mode, error: CoroguardError, conversions: bool) -> bool:
    if mode is Mode.STRICT:
        return True
    if mode is not Mode.ENFORCE:
        return False
    leak = getattr(error, "leak", None)
    if leak is None:
        return False
    return conversions or leak.kind in _RAISED_BY_ENFORCE
