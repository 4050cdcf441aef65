"""What can be typed after `coroguard gate`, and where does the readiness go?"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from rich.console import Console

from coroguard._leaks.errors import nearest

from .config import CATEGORIES
from .engine import Wishes, run_gates
from .exports import as_annotations, as_json, as_junit, as_markdown
from .readiness import ExitCode
from .sealed import write_whole
from .selection import Selection
from .table import show

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from types import FrameType

    from .readiness import Readiness

__all__ = ["gate"]

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def gate(
    *,
    categories: Sequence[str] = (),
    patterns: Sequence[str] = (),
    real_services: bool = False,
    fail_fast: bool = False,
    self_test: bool = False,
    json: Path | None = None,
    junit: Path | None = None,
    markdown: Path | None = None,
) -> int:
    """Run the gates of the current project, show and write the readiness.

    Returns:
        The exit code; `docs/reference/gate.md` lists them.
    """
    exports = {as_json: json, as_junit: junit, as_markdown: markdown}
    files = {file: form for form, file in exports.items() if file is not None}
    # What an earlier run left must not be taken for what this run says.
    _remove(files)
    if importlib.util.find_spec("pytest") is None:
        return _refuse("pytest is not installed; type pip install 'coroguard[gate]'")
    for category in categories:
        if category not in CATEGORIES:
            hint = nearest(category, CATEGORIES)
            return _refuse(
                f"--category {category} is none of {', '.join(CATEGORIES)}.{hint}"
            )
    wishes = Wishes(
        Selection(tuple(categories), tuple(patterns)),
        real_services=real_services,
        fail_fast=fail_fast,
        self_test=self_test,
    )
    # A terminal that cannot show a letter must not turn a verdict into a crash.
    with contextlib.suppress(AttributeError):
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    console = Console(highlight=False)
    with _ended_by_signals(), _progress(console) as tell:
        readiness = run_gates(Path.cwd(), wishes, tell)
    readiness = _write(readiness, files)
    show(readiness, console)
    _tell_github(readiness)
    return int(readiness.exit_code)


def _write(
    readiness: Readiness, files: Mapping[Path, Callable[[Readiness], str]]
) -> Readiness:
    """Write each file; where one cannot be written, none stays and nothing is ready."""
    try:
        for file, form in files.items():
            write_whole(file, form(readiness))
    except OSError as error:
        _remove(files)
        text = f"the readiness was not written: {error}"
        code = readiness.exit_code or ExitCode.INTERNAL
        return replace(readiness, problem=(code, text))
    return readiness


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        # A device or a pipe is nothing that an earlier run has left.
        if file.is_file():
            file.unlink()


def _tell_github(readiness: Readiness) -> None:
    """Add to the step's summary and annotate, where GitHub Actions runs this."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        # A summary that cannot be written changes nothing about the release.
        with contextlib.suppress(OSError), open(summary, "a") as file:
            file.write(as_markdown(readiness))
    if os.environ.get("GITHUB_ACTIONS"):
        for line in as_annotations(readiness):
            sys.stdout.write(f"{line}\n")


def _refuse(why: str) -> int:
    sys.stderr.write(f"coroguard: {why}\n")
    return ExitCode.CONFIGURATION


@contextlib.contextmanager
def _progress(console: Console) -> Generator[Callable[[str], None], None, None]:
    """Say what is being done: on a terminal in one moving line, else in none."""
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status("starting") as status:
        yield status.update


@contextlib.contextmanager
def _ended_by_signals() -> Generator[None, None, None]:
    """Turn the signals of a cancelled pipeline into an exit that cleans up."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {ending: signal.signal(ending, end) for ending in _ENDINGS}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
