"""The command `coroguard gate`, and the files it writes."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.text import Text

from coroguard._files import is_device, write_whole
from coroguard._inspect.texts import nearest
from coroguard._leaks.errors import GuardUsageError
from coroguard.alerts.settings import read_settings
from coroguard.testing import survivors

from . import stale
from .alerting import send_alerts
from .config import CATEGORIES
from .engine import run_gates
from .exports import as_annotations, as_json, as_junit, as_markdown
from .matrix.config import KINDS
from .output import clean, flat
from .readiness import ExitCode
from .selection import Selection
from .signals import ended_by_signals
from .table import show
from .trial import Wishes

if TYPE_CHECKING:
    import io

    from coroguard.alerts.settings import AlertSettings

    from .readiness import Readiness


def gate(
    *,
    category: Sequence[str] | None = None,
    pattern: Sequence[str] | None = None,
    real_services: bool = False,
    fail_fast: bool = False,
    self_test: bool = False,
    pin: bool = False,
    alert: bool = False,
    matrix: str = "",
    json: Path | None = None,
    junit: Path | None = None,
    markdown: Path | None = None,
) -> int:
    """Run the gates of the current project; show and write the readiness.

    Returns:
        The exit code; `docs/reference/gate.md` lists them.
    """
    forms = ((as_json, json), (as_junit, junit), (as_markdown, markdown))
    exports = [(form, file) for form, file in forms if file is not None]
    wishes = Wishes(
        Selection(tuple(category or ()), tuple(pattern or ())),
        real_services=real_services,
        fail_fast=fail_fast,
        self_test=self_test,
        pin=pin,
        matrix=matrix,
    )
    try:
        # An earlier run's readiness must not be taken for this run's.
        stale.remove(file for _, file in exports)
        refused = _wrong_interpreter() or _wrong_files(exports) or _wrong_words(wishes)
        if refused:
            return _refuse(refused)
        try:
            receiver = read_settings() if alert else None
        except GuardUsageError as wrong:
            return _refuse(str(wrong))
        with ended_by_signals():
            return _gate(wishes, {file: form for form, file in exports}, receiver)
    except Exception:
        # Left to Python it would end with 1, which means that a gate has failed.
        sys.stderr.write(f"coroguard itself broke\n{clean(traceback.format_exc())}")
        return ExitCode.INTERNAL


def _gate(
    wishes: Wishes,
    files: Mapping[Path, Callable[[Readiness], str]],
    receiver: AlertSettings | None,
) -> int:
    # A terminal that cannot show a letter must not turn a verdict into a crash.
    with contextlib.suppress(AttributeError):
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    console = Console(highlight=False)
    with _progress(console) as progress:
        readiness = run_gates(Path.cwd(), wishes, progress)
    readiness = _write(readiness, files)
    if receiver is not None:
        send_alerts(readiness, receiver)
    try:
        show(readiness, console)
        _annotate(readiness)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as `head` does; the exit code still counts.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(readiness.exit_code)


def _write(
    readiness: Readiness, files: Mapping[Path, Callable[[Readiness], str]]
) -> Readiness:
    """Write each file; if one cannot be written, none stays and nothing is ready."""
    try:
        for file, form in files.items():
            write_whole(file, form(readiness))
    except OSError as error:
        stale.remove(files)
        text = clean(f"the readiness was not written: {error}")
        code = readiness.exit_code or ExitCode.INTERNAL
        return replace(readiness, problem=(code, text))
    return readiness


def _wrong_files(exports: Sequence[tuple[object, Path]]) -> str:
    """Return why the readiness cannot be written there; empty if it can."""
    seen: set[Path] = set()
    for _, file in exports:
        if stale.is_source(file):
            return f"{file} holds configuration or source; name another file"
        if file.is_dir():
            return f"{file} is a folder; name a file in it"
        if file.resolve() in seen and not is_device(file):
            return f"{file} was named for two formats; name a file for each"
        seen.add(file.resolve())
    return ""


def _wrong_words(wishes: Wishes) -> str:
    if importlib.util.find_spec("pytest") is None:
        return "pytest is not installed; run pip install 'coroguard[gate]'"
    for category in wishes.selection.categories:
        if category not in CATEGORIES:
            hint = nearest(category, CATEGORIES)
            known = ", ".join(CATEGORIES)
            return f"--category {category} is not one of {known}.{hint}"
    matrix = wishes.matrix
    if matrix and matrix not in KINDS:
        hint = nearest(matrix, KINDS)
        return f"--matrix={matrix} is not one of pairwise, full.{hint}"
    return ""


def _annotate(readiness: Readiness) -> None:
    """Add to the step's summary and annotate, where GitHub Actions runs this."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        # A summary that cannot be written changes nothing about the release.
        with (
            contextlib.suppress(OSError),
            open(summary, "a", encoding="utf-8") as file,
        ):
            file.write(as_markdown(readiness))
    if os.environ.get("GITHUB_ACTIONS"):
        for line in as_annotations(readiness):
            sys.stdout.write(f"{line}\n")


def _wrong_interpreter() -> str:
    if survivors.ARE_KNOWN:
        return ""
    return (
        f"the gates need CPython; {sys.implementation.name} frees coroutines too late "
        "to know which test has dropped one"
    )


def _refuse(why: str) -> int:
    sys.stderr.write(f"coroguard: {flat(clean(why))}\n")
    return ExitCode.CONFIGURATION


@contextlib.contextmanager
def _progress(console: Console) -> Generator[Callable[[str], None], None, None]:
    """Show the progress: one moving line on a terminal, else nothing."""
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status("starting") as status:
        yield lambda text: status.update(Text(flat(clean(text))))
