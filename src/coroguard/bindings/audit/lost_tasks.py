"""Tasks without a reference, and coroutines made only to look at their kind."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..findings import FindingKind
from .call_uses import Use
from .declared_types import task_starters
from .locations import Place, place_of, report
from .slots import is_coroutine_function

if TYPE_CHECKING:
    from ..findings import Finding
    from .calls import Call
    from .module_source import Reading

_ASKERS = (inspect.isawaitable, inspect.iscoroutine)


def lost_tasks(reading: Reading) -> Iterator[Finding]:
    """Yield the calls that start a task and keep no reference to it.

    Source: the note on ``asyncio.create_task()`` in Python's documentation: the
    event loop keeps weak references only.
    """
    starters = task_starters()
    for call in reading.calls:
        if call.use is Use.DROPPED and any(call.target is it for it in starters):
            yield from _lost(call, reading)


def _lost(call: Call, reading: Reading) -> Iterator[Finding]:
    within = call.within or reading.name
    here = Place(call.file, call.line, f"{call.written}() in {within}")
    started = call.node.args[0] if call.node.args else None
    target = reading.lookups.target(started) if isinstance(started, ast.Call) else None
    return report(
        FindingKind.LOST_TASK,
        f"{reading.name}:{call.within or call.written}",
        f"{within} starts a task with {call.written}() and keeps no reference to it",
        here,
        place_of(target) or here,
        "keep the task in a set until it is done: tasks.add(task), "
        "task.add_done_callback(tasks.discard)",
    )


def asked_by_calling(reading: Reading) -> Iterator[Finding]:
    """Yield the coroutines that are made only to be asked whether they are one."""
    parents = reading.source.parents
    for call in reading.calls:
        asker = parents.get(call.node)
        if not isinstance(asker, ast.Call) or call.node not in asker.args:
            continue
        if not is_coroutine_function(call.target):
            continue
        target = reading.lookups.target(asker)
        if not any(target is it for it in _ASKERS):
            continue
        within, asked = call.within or reading.name, ast.unparse(asker.func)
        here = Place(call.file, call.line, f"{asked}({call.written}()) in {within}")
        yield from report(
            FindingKind.WRONG_CALL,
            f"{reading.name}:{call.written}",
            f"{within} calls {call.written}() only to ask {asked}(), and drops it",
            here,
            place_of(call.target) or here,
            f"ask inspect.iscoroutinefunction({call.written}) instead",
        )
