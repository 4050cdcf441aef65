"""Which coroutines died un-awaited inside which guarded call or watch?"""

# CPython asks ``warnings._warn_unawaited_coroutine`` about every coroutine that
# is finalized without having been started, in the thread and the context of
# whoever dropped it (``_PyGen_Finalize`` in ``Objects/genobject.c``). The hook
# put there notes the drop for the innermost guard or watch around it and then
# calls the hook that was there before.

from __future__ import annotations

import contextlib
import gc
import re
import sys
import threading
import time
import warnings
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .._leaks.leak import Leak, LeakKind, record
from . import hot as _hot
from .frames import is_awaited_on_this_loop, place_of, scope_waiting_for_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import FrameType

__all__ = [
    "Scope",
    "drops_of",
    "here",
    "ignore",
    "install",
    "is_quiet",
    "note",
    "take_rest",
    "var",
]

#: How many callers of a new coroutine are remembered in strict mode.
ORIGIN_DEPTH = 1
_UNKNOWN = object()

_pending: dict[int, list[Leak]] = {}
_pending_lock = threading.RLock()  # a finalizer may run while its thread holds it
_ignored: set[Any] = set()
_rest: list[Callable[[Any, bool], object]] = []
_state = threading.local()


class Scope(list[Leak]):
    """A stretch of the program, and the drops noted for it.

    Child tasks and ``to_thread`` workers inherit it with their context. An
    async guard makes one at each call, so it is a list whose slots are filled
    only when somebody needs them.
    """

    __slots__ = ("anchor", "closed", "seen", "started", "thread", "token")

    #: Identity of the sync guard frame that it belongs to or was opened in, so
    #: that the inner one of the two gets a drop; unset for most async guards.
    anchor: int | None
    closed: bool
    #: Every leak seen inside, by guards too; only a watch has it.
    seen: list[Leak]
    #: When it was entered, where coroutine origins are tracked in it.
    started: float
    thread: int
    token: Token[Scope | None]

    def enter(self, anchor: int | None) -> None:
        """Make this the innermost scope of the context."""
        self.anchor = anchor
        self.token = var.set(self)

    def track_origins(self) -> None:
        """Note where coroutines are created until the scope is left."""
        self.thread = threading.get_ident()
        self.started = time.perf_counter()
        _track_origins(1)

    def leave(self) -> float | None:
        """Close it; what its late children drop goes to the scope around it.

        Returns:
            When it was entered, or ``None`` where that was not measured.
        """
        self.closed = True
        started = getattr(self, "started", None)
        if started is not None:
            _track_origins(-1)
        with contextlib.suppress(ValueError):  # left in another context
            var.reset(self.token)
        return started

    @property
    def parent(self) -> Scope | None:
        """The scope around this one."""
        old = self.token.old_value
        return old if isinstance(old, Scope) else None


var: ContextVar[Scope | None] = ContextVar("coroguard_scope", default=None)


def here() -> Scope | None:
    """Return the innermost open scope of this context."""
    return _open(var.get())


def is_quiet(frame_id: int) -> bool:
    """Say whether nothing was dropped in the sync guarded call of this frame."""
    return frame_id not in _pending


def drops_of(frame_id: int) -> list[Leak]:
    """Take what was dropped inside the sync guarded call of this frame."""
    if frame_id not in _pending:
        return []
    with _pending_lock:
        drops = _pending.pop(frame_id)
    _hot.add_alert(-1)
    return drops


def note(leak: Leak) -> None:
    """Show a leak to every watch around it."""
    scope = here()
    while scope is not None:
        if hasattr(scope, "seen"):
            scope.seen.append(leak)
        scope = _open(scope.parent)


def take_rest(taker: Callable[[Any, bool], object]) -> Callable[[], None]:
    """Give ``taker`` the dropped coroutines that no guard and no watch claims.

    It is called in the thread that dropped one, with the coroutine, which it
    must not keep, and whether the garbage collector found it. The newest taker
    gets them alone until it is taken back.

    Returns:
        A function that takes it back; calling it again does nothing.
    """
    install()

    def give(coroutine: Any, collected: bool) -> None:
        taker(coroutine, collected)

    def take_back() -> None:
        if give in _rest:
            _rest.remove(give)

    _rest.append(give)
    return take_back


def ignore(function: Any) -> None:
    """Do not note drops of the coroutines that ``function`` makes."""
    _ignored.add(function.__code__)


def install() -> None:
    """Put the hook in place; calling it again changes nothing."""
    current = getattr(warnings, "_warn_unawaited_coroutine", None)
    if getattr(current, "coroguard", False) or hasattr(
        warnings.showwarning, "coroguard"
    ):
        return
    gc.callbacks.append(_on_collection)
    if current is None:
        _install_fallback()
        return
    warnings._warn_unawaited_coroutine = _hook_before(current)  # type: ignore[attr-defined]


def _hook_before(previous: Callable[[Any], None]) -> Callable[[Any], None]:
    def warn_unawaited(coroutine: Any) -> None:
        try:
            _dropped(coroutine)
        except Exception:
            pass
        finally:
            previous(coroutine)

    # ``warnings`` passes over frames of such a name when it looks for the line to
    # blame; without it, this line would be blamed instead of the user's.
    hook: Any = warn_unawaited
    hook.__code__ = hook.__code__.replace(
        co_filename="<coroguard, to be skipped as importlib._bootstrap is>"
    )
    hook.coroguard = True
    return warn_unawaited


def _dropped(coroutine: Any) -> None:
    """Give a drop to the innermost guard or watch that it happened in."""
    if coroutine.cr_code in _ignored:
        return
    # The garbage collector runs anywhere; what it finds was made elsewhere.
    collected: bool = getattr(_state, "collecting", False)
    if not collected and _claim(coroutine, sys._getframe(2)):  # pyright: ignore[reportPrivateUsage]
        return
    if _rest:
        _rest[-1](coroutine, collected)


def _claim(coroutine: Any, frame: FrameType) -> bool:
    """Note a drop for the innermost guard or watch around it, if there is one."""
    frame_id, in_task = place_of(frame)
    scope = here()
    if frame_id is None and scope is None:
        scope = _open(scope_waiting_for_thread(frame))
    if scope is not None and _is_inner(scope, frame_id, in_task=in_task):
        if _is_older(coroutine, scope):
            return False
        scope.append(record(LeakKind.DROPPED, "coroutine", coroutine))
        return True
    if frame_id is None:
        return False
    leak = record(LeakKind.DROPPED, "coroutine", coroutine)
    with _pending_lock:
        drops = _pending.get(frame_id)
        if drops is None:
            drops = _pending[frame_id] = []
            _hot.add_alert(1)
        drops.append(leak)
    return True


def _open(scope: Scope | None) -> Scope | None:
    """Return a scope, or the innermost one around it that is open."""
    while scope is not None and hasattr(scope, "closed"):
        scope = scope.parent
    return scope


def _is_inner(scope: Scope, frame_id: int | None, *, in_task: bool) -> bool:
    """Say whether a scope lies inside the sync guard of a frame."""
    anchor = getattr(scope, "anchor", _UNKNOWN)
    if frame_id is None or anchor == frame_id:
        return True
    # An async guard that a sync guard runs, it runs in a loop of its own; one
    # that runs a sync guard has it on its task's stack or in another thread.
    return anchor is _UNKNOWN and in_task and is_awaited_on_this_loop(scope)


def _is_older(coroutine: Any, scope: Scope) -> bool:
    """Say whether a coroutine was made before the scope tracked origins."""
    return (
        getattr(scope, "thread", None) == threading.get_ident()
        and coroutine.cr_origin is None
    )


def _track_origins(step: int) -> None:
    """Switch origin tracking, which is the thread's, on and back."""
    count = getattr(_state, "tracking", 0)
    if count == 0 and step > 0:
        _state.before = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(max(_state.before, ORIGIN_DEPTH))
    _state.tracking = count = max(count + step, 0)
    if count == 0:
        sys.set_coroutine_origin_tracking_depth(getattr(_state, "before", 0))


def _on_collection(phase: str, info: dict[str, int]) -> None:  # noqa: ARG001
    _state.collecting = phase == "start"


_NEVER_AWAITED = r"coroutine '([^']+)' was never awaited"


def _install_fallback() -> None:
    """Read the public warnings where the interpreter does not ask the hook."""
    previous = warnings.showwarning

    def showwarning(message: Any, category: Any, *rest: Any, **named: Any) -> None:
        match = re.match(_NEVER_AWAITED, str(message))
        scope = here()
        if match and category is RuntimeWarning and scope is not None:
            scope.append(Leak(kind=LeakKind.DROPPED, name=match[1]))
        previous(message, category, *rest, **named)

    showwarning.coroguard = True  # type: ignore[attr-defined]
    warnings.showwarning = showwarning
    warnings.filterwarnings("always", r"coroutine '.*' was never awaited")
