"""Scopes of requests, whose leaks become events at once."""

# A watch around each request would do the same at several times the cost: it walks
# the stack on entry, and keeps a list that a long connection fills. It would also
# raise in strict mode, after the response was sent. So a request is only observed.

from __future__ import annotations

import re
import sys
from collections import deque
from datetime import UTC, datetime
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..._guard.judge import note_on
from ..._guard.wrapper import marked
from ..._inspect.callables import MARK
from ..._leaks.errors import CoroguardError, leak_error
from ..._leaks.explain import explain
from ..._leaks.leak import LeakKind
from ..._runtime import drops
from ..._runtime.collector import interrupted
from ..._runtime.events import Event, emit
from ..._runtime.modes import Mode, current
from ..._runtime.scopes import Request, Scope, around

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from ..._leaks.leak import Leak

F = TypeVar("F", bound="Callable[..., Any]")
S = TypeVar("S", bound="RequestScope")

#: A member of an enum costs Python 3.11 more than the rest of a look at the mode.
_OFF = Mode.OFF
_getframe = sys._getframe  # pyright: ignore[reportPrivateUsage]
REQUEST_ID = "x-request-id"
#: Leaks of one request that are remembered, so that none is an event twice.
_MOST_SEEN = 16
_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
)
_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


class RequestScope(Scope):
    """The part of a program that serves one request.

    Its ``with`` block opens it for the frame of the block. The end of the block ends
    it, or pauses it where a stream goes on with it. An exception that leaves the
    block is explained.

    Attributes:
        subject: What the server or the framework knows the request by; ``None`` after
            its end, because a task that outlives it keeps this scope.
        id_name: Name of the header that identifies it.
        goes_on: Whether a stream, the body of its response, goes on with it.
    """

    goes_on = False
    subject: Any = None
    id_name: Any = None
    _seen: deque[Leak] | None = None

    def __enter__(self) -> Self:
        self.anchor = id(_getframe(1))
        self.enter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is not None:
            self.explain(error)
        if drops.pending:
            self._note_drops(_getframe(1))
        self.leave(in_context=not isinstance(error, GeneratorExit))
        if error is not None or not self.goes_on:
            self.subject = None

    def described(self) -> tuple[Request, str]:
        """Return the request and its name.

        It is asked when something leaks: only then is it known which route was taken.
        """
        raise NotImplementedError

    @property
    def seen(self) -> deque[Leak]:  # type: ignore[override]
        """The latest leaks, those that guards inside have found too."""
        if self._seen is None:
            self._seen = deque(maxlen=_MOST_SEEN)
        return self._seen

    def request(self) -> Request:
        """Return the request."""
        return self._described()[0]

    def note(self, leak: Leak) -> None:
        """Emit the event of a dropped coroutine, here and now."""
        misused = self._of_same_origin(leak, kind=LeakKind.MISUSED)
        if misused is not None:  # it was an event when it was used as a value
            self.seen.remove(misused)
            return
        request, name = self._described()
        leak = leak.within(name, is_async=True)
        self.seen.append(leak)
        emit(
            Event(
                leak=leak,
                error=leak_error(leak),
                action="reported",
                mode=Mode.OBSERVE,
                guarded=name,
                at=datetime.now(UTC),
            ),
            request,
        )

    def explain(self, exception: BaseException) -> None:
        """Emit the event of an exception that a coroutine caused, unless it is known.

        The exception gets a note, and passes as it is.
        """
        if isinstance(exception, CoroguardError) or not isinstance(
            exception, Exception
        ):
            return
        cause = explain(exception) if interrupted() is None else None
        if cause is None or self._of_same_origin(cause) is not None:
            return
        name = self._described()[1]
        leak = cause.within(name, is_async=True)
        note_on(exception, Mode.OBSERVE, name, [leak])

    def pause(self, *, in_context: bool = True) -> None:
        """Close it until it is opened again.

        Args:
            in_context: Whether the context may be changed.
        """
        if drops.pending:
            self._note_drops(_getframe(1))
        self.leave(in_context=in_context)

    def end(self) -> None:
        """Close it if it is open, and let go of the request."""
        if drops.pending:
            self._note_drops(_getframe(1))
        if not self.closed:
            self.leave()
        self.subject = None

    def _note_drops(self, frame: FrameType) -> None:
        """Note what was dropped in the call of a frame."""
        for leak in drops.drops_of(id(frame)):
            self.note(leak)

    def _described(self) -> tuple[Request, str]:
        try:
            return (Request(), "") if self.subject is None else self.described()
        except Exception:  # of a server or a framework that is not as expected
            return Request(), "a request"

    def _of_same_origin(self, leak: Leak, kind: LeakKind | None = None) -> Leak | None:
        for one in self._seen or ():
            is_same = (one.name, one.defined) == (leak.name, leak.defined)
            if is_same and kind in (None, one.kind):
                return one
        return None


def explain_here(exception: BaseException) -> None:
    """Emit the event of an exception in the request that is served here, if any."""
    for scope in around():
        if isinstance(scope, RequestScope):
            scope.explain(exception)
            return


class Hooks:
    """The hooks that the frame of a middleware holds, as that of a guard does.

    By it, a drop inside is known to belong to the request, and not to a guard
    around the server.
    """

    terms = None

    def takes_drops(self) -> bool:
        """Return whether what is dropped in the request concerns it."""
        return current() is not Mode.OFF

    def watched(self, kind: type[S], subject: Any, id_name: Any) -> S | _Unwatched:
        """Return a scope, for a block of the calling frame; none in mode off."""
        if current() is _OFF:
            return _UNWATCHED
        scope = kind()
        scope.subject = subject
        scope.id_name = id_name
        return scope

    def reopened(self, scope: RequestScope) -> None:
        """Open a scope again, for the calling frame, unless it is open."""
        if scope.closed:  # else it would lie in itself
            scope.anchor = id(_getframe(1))
            scope.enter()
            scope.closed = False


class _Unwatched:
    """A block in which a request is served in mode off."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        # The mode may have changed meanwhile; a later frame with the same identity
        # would get what was dropped.
        if drops.pending:
            drops.drops_of(id(_getframe(1)))


_UNWATCHED = _Unwatched()
HOOKS = Hooks()


def marked_function(make: Callable[[Hooks], F]) -> F:
    """Return the function that ``make`` returns, its frames marked as a guard's.

    Args:
        make: Takes ``hooks`` and returns a function that uses them.
    """
    function: Any = make(HOOKS)
    made: Any = FunctionType(
        marked(function.__code__, MARK),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__doc__ = function.__doc__
    made.__annotations__ = function.__annotations__
    return made  # type: ignore[no-any-return]


def method_of(name: str) -> str:
    """Return a method as it is, if it is a standard one; else ``OTHER``.

    A client may send any word, and an event's name must not grow with them.
    """
    return name if name in _METHODS else "OTHER"


def valid_id(value: object) -> str:
    """Return a request's identifier; empty where it is not one.

    A client may send any text, which must not forge a line of a log.
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return text if _ID.fullmatch(text) else ""


def name_of(request: Request, otherwise: str = "") -> str:
    """Return the name of a request in events."""
    return f"{request.method} {request.route or otherwise or 'request'}"
