"""The leaks of one test, phase by phase."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from .._leaks.errors import CoroguardError, leak_error
from .._leaks.leak import Leak, LeakKind
from .._leaks.origins import place, record
from .._runtime import drops
from .._runtime.collector import collect
from .._runtime.events import subscribe
from .._runtime.modes import Mode, current
from .kept import kept_by_mocks
from .survivors import assign, begin, find, has_survivors, owner_of

if TYPE_CHECKING:
    from .._runtime.events import Event
    from .survivors import Coroutine

_MOCKS = "unittest.mock"
#: Callers of a new coroutine that are remembered: two of them are a mock's own.
_ORIGINS = 3


_running: list[Recorder] = []


class Recorder:
    """Record the leaks of one test, from ``start`` to ``stop``.

    One test runs at a time in a process, so a test answers for every drop that
    no guard and no watch claims meanwhile, in whichever task, thread or context
    it happens. It does not answer for a coroutine that was there before, nor for
    what a guard raised: the code that caught that has dealt with it. A leak that
    was only reported, because a softer mode was chosen for that place, has been
    dealt with too.

    Args:
        strict: Whether to note where coroutines are created, and to look for
            those that mocks keep.
        owner: The test that answers for the coroutines made meanwhile.
        late: Called with each dropped coroutine that an earlier owner left.
        shared: Whether it also takes what a recorder inside it takes.
    """

    def __init__(
        self,
        *,
        strict: bool,
        owner: str = "",
        late: Callable[[str, Leak], None] | None = None,
        shared: bool = False,
    ) -> None:
        #: Every leak seen so far, by guards and watches too.
        self.leaks: list[Leak] = []
        self._strict = strict
        self._owner = owner
        self._late = late
        self._shared = shared
        # With the moment of their event, which those of one call share.
        self._fresh: list[tuple[object, Leak]] = []
        self._raised_at: object = None
        self._guarded = ""
        self._is_async = False
        self._undo = ExitStack()
        self._mode = Mode.STRICT if strict else current()
        self._around: Recorder | None = None

    def start(self) -> None:
        """Take over from the recorder that runs."""
        is_known = begin()
        assign(find(), "")
        self._around = _running[-1] if _running else None
        _running.append(self)
        self._undo.callback(_running.remove, self)
        self._undo.callback(self.age)
        if is_known:
            self._undo.callback(drops.subscribe_unclaimed(self._take))
        self._undo.callback(subscribe(self._hear))
        if self._strict:
            depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(max(depth, _ORIGINS))
            self._undo.callback(sys.set_coroutine_origin_tracking_depth, depth)

    def enter(self, guarded: str, *, is_async: bool = False) -> None:
        """Name the phase that begins, for messages."""
        self._guarded, self._is_async = guarded, is_async

    def stop(self) -> None:
        """Undo ``start``; no later test owns the coroutines that live now."""
        self._undo.close()

    def age(self) -> None:
        """Exempt the coroutines that live now from all later phases."""
        assign(find(), self._owner)

    def drain(self, *, thorough: bool = False) -> list[Leak]:
        """Return the leaks since the last call, each once.

        Args:
            thorough: Also free the cycles of this test and ask its mocks.
        """
        if thorough and self._free_cycles() and self._strict:
            self._ask_mocks()
        fresh, self._fresh = self._fresh, []
        return list(dict.fromkeys(leak for _, leak in fresh))

    def abandon(self, coroutine: Coroutine) -> None:
        """Record a coroutine that nothing can await any more."""
        self._add(_dropped(coroutine))
        assign([coroutine], self._owner)

    def _take(self, coroutine: Coroutine, collected: bool) -> None:
        owner = owner_of(coroutine)
        if owner is None:
            self._add(_dropped(coroutine))
        elif self._late is not None:
            self._late(owner, _dropped(coroutine))
        if self._around is not None and self._around._shared:
            self._around._take(coroutine, collected)

    def _hear(self, event: Event) -> None:
        if event.leak is None or not event.guarded:
            return  # an unclaimed drop was taken already
        self.leaks.append(event.leak)
        if event.action == "raised":
            # The other leaks of that call are notes on the error.
            self._raised_at = event.at
            self._fresh = [it for it in self._fresh if it[0] is not event.at]
        elif event.mode is self._mode and event.at is not self._raised_at:
            self._fresh.append((event.at, event.leak))

    def _add(self, leak: Leak) -> None:
        leak = leak.within(self._guarded, is_async=self._is_async)
        self.leaks.append(leak)
        self._fresh.append((None, leak))

    def _free_cycles(self) -> bool:
        """Collect garbage, if a coroutine of this test may be part of it."""
        if not find() and not has_survivors(self._owner):
            return False
        with warnings.catch_warnings():
            # Reported as a leak; where warnings are errors, pytest would blame
            # the phase after this one for them.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited")
            collect()
        return True

    def _ask_mocks(self) -> None:
        living = find()
        kept = kept_by_mocks(living)
        for coroutine, keeper in kept:
            self._add(replace(_dropped(coroutine), path=keeper))
        assign((coroutine for coroutine, _ in kept), self._owner)


def _dropped(coroutine: Coroutine) -> Leak:
    """Describe a drop; name that of an ``AsyncMock``'s call after the mock."""
    leak = record(LeakKind.DROPPED, "coroutine", coroutine)
    frame = coroutine.cr_frame
    mock = frame and frame.f_globals.get("__name__") == _MOCKS and frame.f_locals
    if not mock or "self" not in mock:
        return leak
    name = mock["self"]._extract_mock_name()
    leak = replace(leak, name=name, defined="", created="", created_in="")
    for file, line, function in coroutine.cr_origin or ():
        if file != coroutine.cr_code.co_filename:
            return replace(leak, created=place(file, line), created_in=function)
    return leak


def error_of(leaks: Sequence[Leak]) -> CoroguardError:
    """Return the error of the first leak, with a note for each of the others."""
    first, *others = leaks
    error = leak_error(first)
    for leak in others:
        error.add_note(f"also: {leak.kind.value}: {leak}")
    return error
