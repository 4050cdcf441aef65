"""Scopes: parts of the program that claim the drops in their context."""

# A watch opens one, and a strict guard, for the children that its frame cannot place.

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableSequence, Sequence
from contextvars import Context, ContextVar
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from .collector import interrupted, interruptions
from .threads import by_thread, get_ident

if TYPE_CHECKING:
    from contextvars import Token

    from .._leaks.leak import Leak
    from .frames import Place

#: The number of callers of a new coroutine that strict mode remembers.
ORIGIN_DEPTH = 4  # the call of a test double is two further out
#: Whether a thread begins with the context of the one that starts it, else with none.
_INHERITS_CONTEXT = bool(getattr(sys.flags, "thread_inherit_context", False))
_depth = sys.get_coroutine_origin_tracking_depth
_set_depth = sys.set_coroutine_origin_tracking_depth


class Request(NamedTuple):
    """The request that a stretch of the program serves.

    Args:
        method: Its method, or the kind of connection.
        route: The template of its path; never the path itself.
        id: Its identifier, as the program or the client named it.
    """

    method: str = ""
    route: str = ""
    id: str = ""


class Scope:
    """A stretch of the program, and the drops noted for it.

    Child tasks and ``to_thread`` workers inherit it with their context.

    Attributes:
        anchor: Identity of the guard's frame that it belongs to or was opened in.
    """

    # A strict guard opens a scope at each call: defaults cost it nothing, and neither
    # does an ``__init__`` that is not there.
    anchor: int | None = None
    closed = False
    drops: Sequence[Leak] = ()
    #: Every leak seen inside, by guards too; only a watch keeps it.
    seen: MutableSequence[Leak] | None = None
    loop: Any = None
    parent: Scope | None = None
    #: ``perf_counter()`` at its start, if coroutine origins are tracked in it.
    started: float | None = None
    thread = 0
    token: Token[Scope | None] | None = None

    def enter(self) -> None:
        """Make this the innermost scope of the context."""
        around = _var.get()
        if around is not None:
            self.parent = _open(around)
        self.loop = _running_loop()
        self.token = _var.set(self)

    def enter_with_origins(self) -> None:
        """Enter it, and note where coroutines are created until it is left."""
        around = _var.get()
        if around is not None:
            self.parent = _open(around)
        self.loop = _running_loop()
        self.token = _var.set(self)
        self.thread = thread = get_ident()
        _tracking[thread] = _tracking.get(thread, 0) + 1
        depth = _depth()
        if depth < ORIGIN_DEPTH:
            _depth_before[thread] = depth
            _set_depth(ORIGIN_DEPTH)
        self.started = perf_counter()

    def request(self) -> Request | None:
        """Return the request that is served in this scope, if any."""
        return None

    def note(self, leak: Leak) -> None:
        """Keep a drop."""
        # In one step, because workers of several threads may share a scope.
        self.__dict__.setdefault("drops", []).append(leak)

    def leave(self, *, in_context: bool = True) -> None:
        """Close it; later drops of its children go to the scope around it.

        Args:
            in_context: Whether the context may be changed. While a coroutine is
                being closed it must not be.
        """
        self.closed = True
        self.loop = None  # it may be kept by a context, which must not keep the loop
        if self.parent is not None:
            # Closed scopes keep no others: a chain of tasks would keep all of them.
            self.parent = _open(self.parent)
        token, self.token = self.token, None
        if self.thread:
            left = _tracking.get(self.thread, 1) - 1
            if left:
                _tracking[self.thread] = left
            else:
                _tracking.pop(self.thread, None)
                _put_depth_back(self.thread)
        if token is None or not in_context:
            return
        if not interruptions or interrupted() is None:
            try:  # noqa: SIM105 - contextlib.suppress() costs more than the rest
                _var.reset(token)
            except ValueError:  # left in another context
                pass

    def is_inside(self, place: Place) -> bool:
        """Return whether this lies inside the guarded call of a place."""
        if place.frame_id is None:
            return True
        scope: Scope | None = self
        while scope is not None:
            if scope.anchor == place.frame_id:
                return True
            scope = _open(scope.parent)
        if place.below and self.loop is not None:
            return self.loop is _running_loop()
        return False

    def is_younger_than(self, coroutine: Any) -> bool:
        """Return whether a coroutine may have been made inside this scope."""
        return self.thread != get_ident() or coroutine.cr_origin is not None


def _running_loop() -> Any:
    """Return the event loop that runs in this thread, if any."""
    global _running_loop
    asyncio = sys.modules.get("asyncio.events")
    if asyncio is None:
        return None
    _running_loop = asyncio._get_running_loop  # from now on, with nothing in between
    return _running_loop()


_var: ContextVar[Scope | None] = ContextVar("coroguard_scope", default=None)


def here() -> Scope | None:
    """Return the innermost open scope of this context."""
    if interruptions and interrupted() is not None:
        return None
    return _open(_var.get())


def note(leak: Leak) -> Request:
    """Show a leak to every watch around it; return the request that is served."""
    for scope in around():
        if scope.seen is not None:
            scope.seen.append(leak)
    return request_here()


def request_here() -> Request:
    """Return the request that is served here; empty where none is known."""
    for scope in around():
        request = scope.request()
        if request is not None:
            return request
    return Request()


def around() -> Iterator[Scope]:
    """Yield the open scopes of this context, from inside out."""
    scope = here()
    while scope is not None:
        yield scope
        scope = _open(scope.parent)


def scope_of(frame: FrameType, place: Place) -> Scope | None:
    """Return the innermost open scope of what drops a coroutine.

    Args:
        frame: The frame that drops it.
        place: Where that is.
    """
    if frame.f_code.co_name == "_run" and (
        frame.f_globals.get("__name__") == "asyncio.events"
    ):
        # The result of a callback is dropped outside of the callback's context.
        context = getattr(frame.f_locals["self"], "_context", None)
        return _open(context.get(_var)) if context is not None else None
    if (
        _INHERITS_CONTEXT
        and place.work_item is not None
        and not _brings_context(place.work_item)
    ):
        return None  # a pool's thread may have inherited the context of another job
    return _open(_var.get())


def _open(scope: Scope | None) -> Scope | None:
    """Return a scope, or the innermost one around it that is open."""
    while scope is not None and scope.closed:
        scope = scope.parent
    return scope


def _brings_context(item: Any) -> bool:
    """Return whether a job of a pool runs in the context that submitted it."""
    task = getattr(item, "task", None)  # since 3.14
    function = task[0] if task else getattr(item, "fn", None)
    run = getattr(function, "func", function)
    return type(getattr(run, "__self__", None)) is Context


#: The number of scopes that track origins, by thread.
_tracking = by_thread(dict[int, int]())
#: The depth in each thread before it was set.
_depth_before = by_thread(dict[int, int]())


def _put_depth_back(thread: int) -> None:
    """Put the depth back; another thread's is put back with its next scope."""
    if thread == get_ident():
        before = _depth_before.pop(thread, ORIGIN_DEPTH)
        if before != ORIGIN_DEPTH == _depth():
            _set_depth(before)
