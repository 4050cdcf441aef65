"""Events and calls of health checks, and their subscribers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from inspect import isasyncgenfunction
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from .._inspect.callables import is_async, name_of
from .._leaks.errors import CoroguardError, GuardUsageError
from .._leaks.origins import user_place
from .collector import interrupted, interruptions, postpone
from .hot import HOT
from .leak_log import log_event, logger
from .scopes import Request, request_here
from .threads import by_thread, get_ident, make_lock

if TYPE_CHECKING:
    from .._leaks.leak import Leak
    from .modes import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A finding, and what was done about it.

    Args:
        leak: The leak; ``None`` for a violated shape, an unfinished scan and
            what could not be judged.
        error: The error that was raised, or would have been.
        action: ``raised``, ``reported``, ``noted`` on another exception, or
            ``unjudged``: the value passed, because it could not be judged.
        mode: The mode that applied.
        guarded: Qualified name of the guarded function, or of the watch.
        at: When, aware, in UTC.
        duration_ms: How long the guarded call took; ``None`` where it was not
            measured (only strict mode, ``watch`` and calls that somebody is
            subscribed to are).
        complete: Whether the whole value was scanned; ``False`` where the
            scan limit cut it.
        reason: Why the value could not be judged, else empty.
        place: ``file:line`` of the program that it is about: where the
            coroutine was dropped or made, else where the program ran when it
            was found. Empty where that is not known.
        place_in: Name of the function that ``place`` is in.
        method: Method of the request in which it was found, else empty.
        route: Template of that request's path; never the path itself.
        request_id: Identifier of that request.
    """

    leak: Leak | None
    error: CoroguardError | None
    action: str
    mode: Mode
    guarded: str
    at: datetime
    duration_ms: float | None = None
    complete: bool = True
    reason: str = ""
    place: str = ""
    place_in: str = ""
    method: str = ""
    route: str = ""
    request_id: str = ""


#: The outcome of a call: the status of the report that it returned, what was wrong
#: with it, or how an exception ended it.
Outcome: TypeAlias = Literal[
    "healthy", "degraded", "failed", "leaked", "invalid", "raised", "cancelled"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a health check.

    Args:
        check: Qualified name of the guarded function, or the name under which
            a check is collected.
        outcome: The status of the report: ``healthy``, ``degraded``, ``failed``;
            ``leaked``; ``invalid`` for a report of the wrong shape;
            ``raised``; ``cancelled`` where the caller gave up.
        duration_ms: How long it took.
        at: When it ended, aware, in UTC.
    """

    check: str
    outcome: Outcome
    duration_ms: float
    at: datetime

    @property
    def is_healthy(self) -> bool | None:
        """Whether the check passed; ``None`` where it did not get to an answer."""
        if self.outcome == "cancelled":
            return None
        return self.outcome in ("healthy", "degraded")


_lock = make_lock()
_failed: set[int] = set()
#: Threads that are delivering now; context variables may not be touched where a
#: finalizer found a leak.
_delivering = by_thread(set[int]())


class _Subscribers:
    """The subscribers to one kind of record."""

    def __init__(self) -> None:
        self.callbacks: tuple[Callable[[Any], object], ...] = ()

    def add(self, callback: Callable[[Any], object]) -> None:
        with _lock:
            self.callbacks = (*self.callbacks, callback)
            HOT.set_timed(timed=bool(_of_calls.callbacks))

    def remove(self, callback: Callable[[Any], object]) -> None:
        with _lock:
            self.callbacks = tuple(it for it in self.callbacks if it is not callback)
            HOT.set_timed(timed=bool(_of_calls.callbacks))
            _failed.discard(id(callback))

    def deliver(self, record: object) -> None:
        """Call all of them, unless one of them caused the record itself."""
        thread = get_ident()
        if thread in _delivering:
            return
        _delivering.add(thread)
        try:
            for callback in self.callbacks:
                _call(callback, record)
        finally:
            _delivering.discard(thread)


_of_events = _Subscribers()
_of_calls = _Subscribers()


@overload
def subscribe(
    callback: Callable[[Event], object], *, calls: Literal[False] = False
) -> Callable[[], None]: ...
@overload
def subscribe(
    callback: Callable[[Call], object], *, calls: Literal[True]
) -> Callable[[], None]: ...
def subscribe(
    callback: Callable[[Any], object], *, calls: bool = False
) -> Callable[[], None]:
    """Call ``callback`` with every event from now on.

    It runs in the thread that found the leak, before anything is raised. An
    exception that it raises is logged once and goes no further; events that it
    causes itself are only logged.

    Args:
        callback: A sync function of one argument.
        calls: Give it a ``Call`` for every call of a guarded health check in
            the place of events. Calls are timed only while somebody is
            subscribed to them.

    Returns:
        A function that ends the subscription; repeated calls have no effect.

    Raises:
        GuardUsageError: ``callback`` cannot be called, or is async.
    """
    _refuse(callback)
    subscribers = _of_calls if calls else _of_events

    def deliver(record: Any) -> object:
        return callback(record)

    subscribers.add(deliver)
    return lambda: subscribers.remove(deliver)


def emit(event: Event, request: Request | None = None) -> None:
    """Complete an event, log it and give it to every subscriber.

    While the collector runs in this thread, another one does that: the log and the
    subscribers take locks.

    Args:
        event: What was found, without its place and its request.
        request: The request that it belongs to, by default the one served here.
    """
    is_interrupted = bool(interruptions) and interrupted() is not None
    place, place_in = user_place(event.leak, runs_here=not is_interrupted)
    method, route, request_id = request_here() if request is None else request
    event = replace(
        event,
        place=place,
        place_in=place_in,
        method=method,
        route=route,
        request_id=request_id,
    )
    if is_interrupted:
        postpone(lambda: _publish(event))
    else:
        _publish(event)


def emit_call(check: str, outcome: Outcome, started: float) -> None:
    """Deliver a call to the subscribers to calls.

    Args:
        check: Name of the check.
        outcome: What came of it.
        started: ``perf_counter()`` at its start.
    """
    if not HOT.timed:
        return
    duration_ms = (perf_counter() - started) * 1_000
    now = datetime.now(UTC)
    call = Call(check=check, outcome=outcome, duration_ms=duration_ms, at=now)
    if interruptions and interrupted() is not None:
        postpone(lambda: _of_calls.deliver(call))
    else:
        _of_calls.deliver(call)


def _publish(event: Event) -> None:
    try:
        log_event(event)
    except Exception:  # a handler or a filter of the program's
        _report_once(log_event, "a handler of the logger coroguard.leak raised")
    _of_events.deliver(event)


def _refuse(callback: Any) -> None:
    name = name_of(callback)
    if not callable(callback):
        raise GuardUsageError(
            f"subscribe() cannot call {callback!r}; give a function of one event",
            code="CG203",
        )
    if is_async(callback) or isasyncgenfunction(callback):
        raise GuardUsageError(
            f"subscribe() does not await {name}; give a sync function, which may "
            "put the event on a queue for async code",
            code="CG203",
        )


def _call(subscriber: Callable[[Any], object], record: object) -> None:
    try:
        result = subscriber(record)
    except Exception:
        _report_once(subscriber, "a coroguard subscriber raised")
        return
    if type(result) is CoroutineType:
        result.close()
        text = f"a coroguard subscriber returned the coroutine {result.__qualname__!r}"
        _report_once(subscriber, f"{text}, which is not awaited", is_error=False)


def _report_once(source: object, text: str, *, is_error: bool = True) -> None:
    with _lock:
        known = id(source) in _failed
        _failed.add(id(source))
    if not known:
        _log_safely(f"{text}; later cases are not logged", is_error)


def _log_safely(text: str, is_error: bool) -> None:
    try:
        logger().getChild("leak").error(text, exc_info=is_error)
    except Exception:  # the program's logging is out of order
        return
