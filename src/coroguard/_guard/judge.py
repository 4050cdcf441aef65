"""What is wrong with what a guarded call gave and left, and what is done about it?"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._inspect.annotations import return_annotation
from .._inspect.awaitables import close_refused, what_is
from .._inspect.promises import awaited_type, mentions, promises
from .._leaks.errors import CoroguardError, HealthReportError, leak_error
from .._leaks.explain import explain
from .._leaks.leak import Leak, LeakKind, record, short
from .._leaks.scan import scan
from .._runtime import drops as tracking
from .._runtime.events import Event, emit
from .._runtime.modes import Mode, current, scan_limit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .contracts import Contract

__all__ = ["Terms", "act", "forgive", "judge", "note_on"]

_DID = {
    LeakKind.MISUSED: "was used as a value in",
    LeakKind.NOT_AWAITABLE: "was awaited in",
}
_RAISED_BY_ENFORCE = (LeakKind.RETURNED, LeakKind.NESTED)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one guard was told.

    Args:
        name: Qualified name of the guarded function.
        function: The function itself.
        contract: What its result must be.
        pinned: The mode of this guard alone; ``None`` follows the context.
        dropped: Whether coroutines left behind count.
        is_async: Whether the function is a coroutine function.
        awaited: Whether the value is what a promised awaitable gave.
    """

    name: str
    function: Any
    contract: Contract
    pinned: Mode | None
    dropped: bool
    is_async: bool
    awaited: bool = False

    @property
    def mode(self) -> Mode:
        """The mode that holds for this guard, here and now."""
        return self.pinned or current()

    def announce(self, value: object) -> bool:
        """Say whether the contract or the annotation promises this awaitable."""
        return any(promises(type_, value) for type_ in self._types())

    def announce_inside(self, value: object) -> bool:
        """Say whether this awaitable, inside the value, was promised."""
        return any(mentions(type_, value) for type_ in self._types())

    def _types(self) -> tuple[object, object]:
        annotation = return_annotation(self.function)
        if self.awaited:
            annotation = awaited_type(annotation)
        return self.contract.type, annotation


def judge(
    terms: Terms, value: object, drops: list[Leak], started: float | None
) -> CoroguardError | None:
    """Judge what a guarded call returned and left behind.

    Every finding is emitted before this returns.

    Returns:
        The error to raise, or ``None``.
    """
    if not drops and terms.contract.is_plainly_right(value):
        return None
    mode = terms.mode
    if mode is Mode.OFF:
        return None
    errors: list[CoroguardError] = []
    refused: list[object] = []
    complete = True
    what = what_is(value)
    if what is not None:
        if not terms.announce(value):
            errors.append(
                _leak(terms, record(LeakKind.RETURNED, what, value, path="$"))
            )
            refused.append(value)
    else:
        complete = _look_inside(terms, value, errors, refused)
    errors[len(refused) : len(refused)] = [_leak(terms, drop) for drop in drops]
    if not errors and complete:
        return None
    fatal = act(mode, terms.name, errors, started=started, complete=complete)
    if fatal is not None:
        for one in refused:
            close_refused(one)
    return fatal


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
        guarded: Who is guarded.
        errors: What was found, the gravest first.
        started: ``perf_counter()`` at the start of the guarded call.
        complete: Whether the whole value was scanned.
        conversions: Raise leaks that an exception in flight told of.
        raises: Whether the caller can raise at all; else all is reported only.
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
        if leak is not None:
            tracking.note(leak)
        emit(event)
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
        tracking.note(leak)
        emit(
            Event(
                leak=leak,
                error=leak_error(leak),
                action="noted",
                mode=mode,
                guarded=guarded,
                at=datetime.now(UTC),
                duration_ms=duration_ms,
            )
        )
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
    if not isinstance(exception, CoroguardError):
        cause = explain(exception)
        if cause is not None and cause.name not in {leak.name for leak in leaks}:
            leaks.append(cause.within(terms.name, is_async=terms.is_async))
    if leaks:
        note_on(exception, mode, terms.name, leaks, started=started)


def _look_inside(
    terms: Terms, value: object, errors: list[CoroguardError], refused: list[object]
) -> bool:
    """Add what is wrong inside a value; say whether all of it was read."""
    contract = terms.contract
    violations = contract.violations(value)
    result = scan(value, limit=scan_limit(), quoted=contract.is_report)
    leaked = [it for it in result.found if not terms.announce_inside(it.value)]
    for found in leaked:
        leak = record(LeakKind.NESTED, found.what, found.value, path=found.path)
        errors.append(_leak(terms, leak))
        refused.append(found.value)
    errors.extend(_leak(terms, leak) for leak in result.symptoms)
    if violations and not leaked:
        errors.append(HealthReportError(terms.name, violations, contract.expected))
    return result.complete


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
