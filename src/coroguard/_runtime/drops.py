"""Dropped coroutines, and the guards and watches that they belong to."""

# CPython calls ``warnings._warn_unawaited_coroutine`` with every coroutine that is
# finalized without having been started, in the thread and the context of the code
# that dropped it (``_PyGen_Finalize`` in ``Objects/genobject.c``). The hook here
# gives the drop to the innermost guard or watch around it, then calls the hook that
# was there before.

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import what_is
from .._inspect.callables import MARK, QUIET_MARK
from .._leaks.leak import Leak, LeakKind
from .._leaks.origins import record
from . import hot as _hot
from .asyncio_log import observe
from .collector import interrupted, watch_collections
from .frames import lets_go, place_of
from .modes import on_change, unclaimed
from .scopes import here, scope_of
from .threads import by_thread, get_ident, in_forked_child, make_lock
from .unclaimed import add_taker, give_away
from .waiting import hooks_of

if TYPE_CHECKING:
    from .frames import Place

#: Drops in guarded calls that have not ended, by the call's frame.
pending: dict[int, list[Leak]] = {}
_pending_lock = make_lock()
#: Code of the coroutines that a guard makes around a promised awaitable.
_promised: set[Any] = set()
#: In each thread, the promised coroutine that is dropped next, by its identity, and
#: the terms of its guard.
_next = by_thread(dict[int, tuple[int, Any]]())
#: In each thread, the coroutines that the last one held, and its name.
_holders = by_thread(dict[int, dict[int, str]]())
#: In each thread, the coroutine that a hook of ours is handling.
_handled = by_thread(dict[int, int]())


def drops_of(frame_id: int) -> list[Leak]:
    """Take what was dropped inside the guarded call of this frame."""
    if frame_id not in pending:
        return []
    with _pending_lock:
        drops = pending.pop(frame_id, [])
    if drops:
        _hot.add_alert(-1)
    return drops


def _forget_other_threads() -> None:
    """Leave the calls of threads that a forked child does not have to the parent."""
    own: set[int] = set()
    frame: FrameType | None = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        own.add(id(frame))
        frame = frame.f_back
    for frame_id in {*pending} - own:
        drops_of(frame_id)


in_forked_child(_forget_other_threads)


def subscribe_unclaimed(taker: Callable[[Any, bool], object]) -> Callable[[], None]:
    """Call ``taker`` with the dropped coroutines that no guard and no watch claims.

    It is called in the thread that dropped one, with the coroutine, which it must
    not keep, and whether the garbage collector found it. Only the newest taker is
    called.

    Returns:
        A function that ends the subscription; calling it again does nothing.
    """
    install()
    return add_taker(taker)


def stands_for_promised(function: Any) -> None:
    """Take drops of the coroutines of ``function`` for those of what they await."""
    _promised.add(function.__code__)


def is_dropping(coroutine: object) -> bool:
    """Return whether the coroutine that stands for this one was just dropped."""
    return _next.get(get_ident(), (0, None))[0] == id(coroutine)


def terms_of(coroutine: Any) -> Any:
    """Return the terms of the guard whose wrapper made a coroutine, or ``None``.

    Args:
        coroutine: One that has not begun.
    """
    code = getattr(coroutine, "cr_code", None)
    # The wrapper of a callable object takes the guard as its first argument.
    names = () if code is None else (*code.co_freevars, *code.co_varnames[:1])
    if MARK in names or QUIET_MARK in names:
        return hooks_of(coroutine.cr_frame).terms
    return None


def install() -> None:
    """Put the hook in place, also over another library's; repeated calls are free."""
    current = getattr(warnings, "_warn_unawaited_coroutine", None)
    if getattr(current, "coroguard", False) or hasattr(
        warnings.showwarning, "coroguard"
    ):
        return
    watch_collections()
    _observe_asyncio()
    if _observe_asyncio not in on_change:
        on_change.append(_observe_asyncio)
    if current is None:
        _install_fallback()
        return
    warnings._warn_unawaited_coroutine = _hook_before(current)  # type: ignore[attr-defined]


def _observe_asyncio() -> None:
    """Listen to asyncio's complaints, if they can be logged or are subscribed to."""
    if "logging" in sys.modules or unclaimed():
        observe()


def _hook_before(previous: Callable[[Any], None]) -> Callable[[Any], None]:
    def warn_unawaited(coroutine: Any) -> None:
        # Another library's hook, put on between two of ours, calls the older one on.
        thread = get_ident()
        outer = _handled.get(thread)
        if outer == id(coroutine):
            previous(coroutine)
            return
        _handled[thread] = id(coroutine)
        is_stand_in = False
        try:
            is_stand_in = _dropped(coroutine, sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        except Exception:
            pass
        finally:
            try:
                if not is_stand_in:
                    previous(coroutine)
            finally:
                if outer is None:
                    _handled.pop(thread, None)
                else:
                    _handled[thread] = outer

    # ``warnings`` passes over frames of such a name when it looks for the line to
    # blame; without it, this line would be blamed instead of the user's.
    hook: Any = warn_unawaited
    hook.__code__ = hook.__code__.replace(
        co_filename="<coroguard, to be skipped as importlib._bootstrap is>"
    )
    hook.coroguard = True
    return warn_unawaited


def _dropped(coroutine: Any, frame: FrameType) -> bool:
    """Assign a drop to the innermost guard or watch around it.

    Returns:
        Whether the coroutine only stands for another one.
    """
    thread = get_ident()
    expected, terms = _next.pop(thread, (0, None))
    if coroutine.cr_code in _promised:
        # The object that it would have awaited is dropped next, unless another owns it.
        held = coroutine.cr_frame.f_locals
        _next[thread] = id(held["awaitable"]), held["terms"]
        return True
    if expected != id(coroutine):
        terms = terms_of(coroutine)
    if MARK in frame.f_code.co_freevars and lets_go(frame):
        frame = frame.f_back or frame
    until = interrupted()
    at = frame if until is None else None
    leak = record(LeakKind.DROPPED, "coroutine", coroutine, frame=at)
    leak = _with_holder(leak, coroutine, thread)
    place = place_of(frame, until)
    if not _claim(leak, coroutine, frame, place, in_collection=until):
        give_away(coroutine, leak, terms, collected=until is not None)
    return False


def _with_holder(leak: Leak, coroutine: Any, thread: int) -> Leak:
    """Name the dropped coroutine that held this one, and note what this one holds.

    Of ``wait_for(fetch())`` both are lost, one right after the other.
    """
    holders = _holders.pop(thread, {})
    holder = holders.pop(id(coroutine), "")
    held = coroutine.cr_frame.f_locals.values()
    inner = [id(it) for it in held if what_is(it) == "coroutine"]
    if holder:
        leak = replace(leak, use="held", caller=holder)
    if inner or (holder and holders):
        left = holders if holder else {}
        _holders[thread] = left | dict.fromkeys(inner, leak.name)
    return leak


def _claim(
    leak: Leak,
    coroutine: Any,
    frame: FrameType,
    place: Place,
    *,
    in_collection: int | None,
) -> bool:
    """Note a drop for the innermost guard or watch around it, if there is one."""
    # Objects that the collector frees are from elsewhere, unless a guard in a finalizer
    # drops them; and no context may be read in a collection.
    scope = scope_of(frame, place) if in_collection is None else None
    if scope is not None and scope.is_inside(place):
        if scope.is_younger_than(coroutine):
            scope.note(leak)
            return True
        return False
    if place.frame_id is None:
        return False
    with _pending_lock:
        drops = pending.setdefault(place.frame_id, [])
        drops.append(leak)
        if len(drops) == 1:
            _hot.add_alert(1)
    # A call in another thread may have ended meanwhile, and its frame with it.
    if place.coroutine is not None and place.coroutine.cr_frame is None:
        return not drops_of(place.frame_id)
    return True


_NEVER_AWAITED = r"coroutine '([^']+)' was never awaited"


def _install_fallback() -> None:
    """Read the public warnings where the interpreter does not ask the hook."""
    previous = warnings.showwarning

    def showwarning(message: Any, category: Any, *rest: Any, **named: Any) -> None:
        match = re.match(_NEVER_AWAITED, str(message))
        scope = here()
        if match and category is RuntimeWarning and scope is not None:
            scope.note(Leak(kind=LeakKind.DROPPED, name=match[1]))
        previous(message, category, *rest, **named)

    showwarning.coroguard = True  # type: ignore[attr-defined]
    warnings.showwarning = showwarning
    warnings.filterwarnings("always", r"coroutine '.*' was never awaited")
