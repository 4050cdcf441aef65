"""Leaks in the processes that a test starts."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .._files import SITE
from .._leaks.leak import Leak, LeakKind
from .._leaks.origins import record
from .._runtime import drops
from .._runtime.collector import collect
from .._runtime.events import Event, subscribe
from .._runtime.modes import current

#: Names the folder to which a child writes.
VARIABLE = "COROGUARD_GATE_CHILDREN"

_unwatch = ExitStack()


def follow(folder: Path) -> Path | None:
    """Make each Python that this process starts report its leaks.

    Returns:
        The folder to which this process itself reports, if it is such a child.
    """
    _unwatch.close()
    folder.mkdir()
    parent = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and path != SITE]
    os.environ["PYTHONPATH"] = os.pathsep.join([SITE, *kept])
    return Path(parent) if parent else None


def watch(folder: Path) -> None:
    """Report the leaks of this process, which is a child, to a folder."""
    from ..testing.survivors import owner_of

    def drop(coroutine: Any, _collected: bool) -> None:
        if owner_of(coroutine) is None:  # else it is a copy of the parent's
            write(folder, "", record(LeakKind.DROPPED, "coroutine", coroutine))

    def hear(event: Event) -> None:
        if event.leak is not None and event.guarded and _counts(event):
            write(folder, "", event.leak)

    _unwatch.callback(drops.subscribe_unclaimed(drop))
    _unwatch.callback(subscribe(hear))


def _counts(event: Event) -> bool:
    return event.action != "raised" and event.mode is current()


def write(folder: Path, owner: str, leak: Leak) -> None:
    """Append a leak to the file of this process, in one piece."""
    line = json.dumps([owner, asdict(leak)]) + "\n"
    file = folder / f"{os.getpid()}.jsonl"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read(folder: Path, seen: MutableMapping[Path, int]) -> Iterator[tuple[str, Leak]]:
    """Yield the leaks, each with its test, that were written since the last call.

    Args:
        folder: Where children write.
        seen: How many bytes of each file were read; updated.
    """
    for file in sorted(folder.glob("*.jsonl")):
        text = file.read_bytes()[seen.get(file, 0) :]
        whole = text[: text.rfind(b"\n") + 1]
        seen[file] = seen.get(file, 0) + len(whole)
        for line in whole.splitlines():
            owner, fields = json.loads(line)
            yield owner, Leak(**{**fields, "kind": LeakKind(fields["kind"])})


def begin_child(folder: str) -> None:
    """Watch this interpreter from its start to its end."""
    import atexit

    atexit.register(_report_kept, Path(folder))
    _unwatch.callback(atexit.unregister, _report_kept)
    watch(Path(folder))


def _report_kept(folder: Path) -> None:
    from ..testing.survivors import unstarted

    collect()
    for coroutine in unstarted(gc.get_objects()):
        write(folder, "", record(LeakKind.DROPPED, "coroutine", coroutine))
