"""The status of coroguard in this process, as strings and numbers."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._inspect.awaitables import class_name, module_name
from .._version import __version__
from .modes import Mode, announce, current, late, process, source
from .modes import unclaimed as reports_unclaimed
from .threads import make_lock

_MOST_NAMES = 1_000
_SHOWN = 10
_PATCHED = "gevent.monkey"
_COMPILED = {"_cython_": "Cython", "__mypyc": "mypyc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The settings that apply in this process and in the calling context.

    Args:
        version: Version of coroguard.
        mode: The mode that applies.
        set_by: What set it: ``default``, ``COROGUARD_MODE``, a call of
            ``configure`` with its place, or ``mode()``.
        unclaimed: Whether drops that no guard and no watch claims are events.
        scan_limit: Most nodes of a value that a scan reads.
        guards: Names of the guarded functions, at most 1,000.
        guard_count: How many guards were put on.
        hooks: The hooks of the interpreter that coroguard has in place.
        blind_spots: What cannot be seen in this process.
        problems: What does not apply as somebody may expect: a variable that
            was set too late, guards that were put on while the process was off,
            functions that a pattern left bare.
    """

    version: str
    mode: Mode
    set_by: str
    unclaimed: bool
    scan_limit: int
    guards: tuple[str, ...]
    guard_count: int
    hooks: tuple[str, ...]
    blind_spots: tuple[str, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.guards) - _SHOWN
        guards = [*self.guards[:_SHOWN], *([f"{more} more"] if more > 0 else [])]
        lines = [
            f"coroguard {self.version}: mode {self.mode} (set by {self.set_by})",
            f"guards:    {self.guard_count}{': ' * bool(guards)}{', '.join(guards)}",
            f"unclaimed: {'reported' if self.unclaimed else 'off'}",
            f"hooks:     {', '.join(self.hooks) or 'none'}",
            *(f"not seen:  {it}" for it in self.blind_spots),
            *(f"problem:   {it}" for it in self.problems),
        ]
        return "\n  ".join(lines)


#: Hooks and problems that higher layers add.
more_hooks: list[Callable[[], list[str]]] = []
more_problems: list[Callable[[], list[str]]] = []

_lock = make_lock()
_guards: dict[str, None] = {}
_count = 0


def status() -> Status:
    """Return the mode and its source, the guards, the hooks and the problems.

    Returns:
        A frozen record; ``print(status())`` shows it in a few lines.
    """
    found = Status(
        version=__version__,
        mode=current(),
        set_by=source(),
        unclaimed=reports_unclaimed(),
        scan_limit=process.scan_limit,
        guards=tuple(_guards),
        guard_count=_count,
        hooks=(*_hooks(), *(it for more in more_hooks for it in more())),
        blind_spots=tuple(_blind_spots()),
        problems=(*late(), *(it for more in more_problems for it in more())),
    )
    announce()
    return found


def add_guard(function: Any, name: str, *, is_bare: bool = False) -> None:
    """Count a guard that is put on.

    Args:
        function: What it guards.
        name: Its name.
        is_bare: Whether the process was started with guards off: nothing to count.
    """
    global _count
    if is_bare:
        process.bare += 1
        return
    module = getattr(function, "__module__", None)
    with _lock:
        _count += 1
        if len(_guards) < _MOST_NAMES:
            _guards[f"{module}:{name}" if isinstance(module, str) else name] = None
    announce()


def _hooks() -> list[str]:
    found: list[str] = []
    on_drops = getattr(warnings, "_warn_unawaited_coroutine", None)
    if getattr(on_drops, "coroguard", False):
        found.append("dropped coroutines")
    elif hasattr(warnings.showwarning, "coroguard"):
        found.append("warnings of dropped coroutines")
    modules = {getattr(it, "__module__", "") for it in getattr(gc, "callbacks", ())}
    if any(str(it).startswith("coroguard.") for it in modules):
        found.append("garbage collections")
    for finder in sys.meta_path:
        kind = finder if isinstance(finder, type) else type(finder)
        if module_name(kind).startswith("coroguard."):
            found.append(f"imports ({class_name(kind).strip('_')})")
    return found


def _blind_spots() -> list[str]:
    """Return what cannot be seen here, a clause each."""
    found: list[str] = []
    implementation = sys.implementation.name
    if implementation != "cpython":
        found.append(f"dropped coroutines on {implementation}, before it collects them")
    if "uvloop" in sys.modules:
        found.append(
            "which guard a callback of uvloop belongs to: its frames are not Python's"
        )
    if getattr(sys.modules.get(_PATCHED), "saved", None):
        found.append("which greenlet a thread's watch belongs to: gevent patched it")
    for mark, compiler in _COMPILED.items():
        if any(mark in name for name in list(sys.modules)):
            found.append(f"dropped coroutines of code that {compiler} compiled")
    return found
