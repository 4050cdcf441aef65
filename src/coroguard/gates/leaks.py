"""The coroutines that a run leaves un-awaited, each with the test that made it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._leaks.errors import GuardUsageError
from .._leaks.leak import Leak, LeakKind
from .._leaks.origins import record
from .._runtime.collector import collect
from ..testing.allowances import Allowance
from ..testing.recorder import Recorder
from ..testing.survivors import assign, find, owner_of, unstarted
from . import children


class Ledger:
    """Counts leaks to the end of the process, in its children too.

    Args:
        folder: Where child processes write their leaks.
        parent: Where this process writes what it finds at its very end, if it is
            a worker; else ``None``.
    """

    def __init__(self, folder: Path, parent: Path | None = None) -> None:
        #: Leaks by the node id of their test; those of no test by the empty id.
        self.leaks: dict[str, list[str]] = {}
        self._folder = folder
        self._parent = parent
        self._allowances: dict[str, list[Allowance]] = {}
        self._owner = ""
        self._recorder = self._begin()
        self._read: dict[Path, int] = {}
        os.register_at_fork(before=self._own_all, after_in_child=self._forked)

    def enter(self, test: str, allowances: Iterable[Any] = ()) -> None:
        """Attribute later leaks to a test; the empty id stands for everything else.

        Args:
            test: Its node id.
            allowances: Its markers ``allow_leaks``.
        """
        self.settle()
        self._allowances[test] = list(_parsed(allowances))
        self._owner = test
        self._recorder = self._begin()

    def settle(self) -> None:
        """Collect garbage and add up the leaks so far."""
        for leak in self._recorder.drain(thorough=True):
            self._add(self._owner, leak)
        self._recorder.stop()
        for owner, leak in children.read(self._folder, self._read):
            self._add(owner or self._owner, leak)

    def end(self) -> None:
        """Add the coroutines that live un-started when the process ends."""
        self.settle()
        self._owner = ""
        collect()
        for coroutine in unstarted(gc.get_objects()):
            leak = record(LeakKind.DROPPED, "coroutine", coroutine)
            owner = owner_of(coroutine) or ""
            self._add(owner, leak, " kept until the process ended")
        self._recorder = self._begin()

    def _begin(self) -> Recorder:
        recorder = Recorder(
            strict=False, owner=self._owner, late=self._add, shared=True
        )
        recorder.start()
        return recorder

    def _add(self, owner: str, leak: Leak, how: str = "") -> None:
        if leak.kind is not LeakKind.DROPPED:
            return
        if any(it.covers(leak) for it in self._allowances.get(owner, ())):
            return
        if self._parent is not None and how:
            children.write(self._parent, owner, leak)
        line = f"{leak}{how}"
        if line not in (lines := self.leaks.setdefault(owner, [])):
            lines.append(line)

    def _own_all(self) -> None:
        assign(find(), self._owner)

    def _forked(self) -> None:
        children.watch(self._folder)


def _parsed(allowances: Iterable[Any]) -> Iterable[Allowance]:
    for mark in allowances:
        try:
            yield Allowance.parse(*mark.args, **mark.kwargs)
        except GuardUsageError:
            continue  # it allows nothing, and the plugin reports it
