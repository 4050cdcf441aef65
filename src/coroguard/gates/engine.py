"""The gates of a project, run one after another and judged."""

from __future__ import annotations

import datetime
import os
import shutil
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coroguard._files import temporary_folder
from coroguard._pyproject import find_root

from . import run_info as surroundings
from .config import load
from .environment import left_out
from .errors import CollectionError, GateConfigError
from .matrix.run import run_matrix
from .output import clean, each_text
from .readiness import ExitCode, Readiness
from .redact import Redactor
from .runs import Runs
from .selftest import prove
from .trial import Wishes, try_gates
from .verdict import Judgement

if TYPE_CHECKING:
    from .config import Config

_MOST_REASONS = 100
_LONGEST_REASON = 1000


def run_gates(
    root: Path | None = None,
    wishes: Wishes | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Readiness:
    """Run the gates of a project and return whether it is ready.

    Nothing is raised and nothing is printed: whatever goes wrong is in
    `problem`, with the exit code that belongs to it.

    Args:
        root: A folder of the project; `None` is the current one.
        wishes: What was asked for; `None` is every gate.
        progress: Is called with a line for each step.
    """
    started = datetime.datetime.now(datetime.UTC)
    clock = time.monotonic()
    folder = find_root(root or Path.cwd())
    wishes = wishes or Wishes()
    seeds = surroundings.seeds()
    redact = Redactor.of(os.environ, {})
    try:
        config = load(folder)
        redact = _redactor(config)
        with _scratch() as scratch:
            runs = Runs(
                root=folder,
                config=config,
                folder=scratch,
                seeds=seeds,
                real_services=wishes.real_services,
                fail_fast=wishes.fail_fast,
                ini=str(folder / config.pytest_ini) if config.pytest_ini else "",
            )
            readiness = _run(runs, wishes, progress)
    except GateConfigError as wrong:
        readiness = Readiness(problem=(ExitCode.CONFIGURATION, str(wrong)))
    except CollectionError as broken:
        text = f"which tests there are could not be found out\n{broken}"
        readiness = Readiness(problem=(ExitCode.INTERNAL, text))
    except Exception:
        # Left to Python it would end with 1, which means that a gate has failed.
        text = f"coroguard itself broke\n{traceback.format_exc()}"
        readiness = Readiness(problem=(ExitCode.INTERNAL, text))
    about = {
        "started": started.isoformat(),
        "duration_s": round(time.monotonic() - clock, 3),
        "root": str(folder),
        "asked": _asked(wishes),
        "commit": surroundings.commit(folder),
        "seeds": seeds,
        "left_out": left_out(os.environ),
        "versions": surroundings.versions(),
    }
    # The runs know more about themselves than the command does.
    readiness = replace(readiness, about=_merge(about, readiness.about))
    return _published(readiness, redact)


@contextmanager
def _scratch() -> Generator[Path]:
    """Make the folder of the runs, and remove it afterwards."""
    folder = temporary_folder("coroguard-gate-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _redactor(config: Config) -> Redactor:
    """Return the redactor of the secrets of this environment and of every cell's."""
    found = [Redactor.of(os.environ, config.services)]
    for name, values in (config.matrix.env if config.matrix else {}).items():
        texts = [value for value in values if isinstance(value, str)]
        found += [Redactor.of({name: text}, config.services) for text in texts]
    secrets = {secret for redactor in found for secret in redactor.secrets}
    return Redactor(tuple(sorted(secrets, key=len, reverse=True)))


def _published(readiness: Readiness, redact: Redactor) -> Readiness:
    """Return a readiness without secrets: the one boundary for every output."""
    results = [
        replace(result, judgement=_capped(result.judgement))
        for result in readiness.results
    ]
    readiness = replace(readiness, results=results)
    return each_text(readiness, lambda text: clean(redact(text)))


def _capped(judgement: Judgement) -> Judgement:
    """Cap the number of reasons, and the length of each."""
    kept = [reason[:_LONGEST_REASON] for reason in judgement.reasons[:_MOST_REASONS]]
    more = len(judgement.reasons) - len(kept)
    if more:
        kept.append(f"and {more} more")
    return Judgement(judgement.verdict, tuple(kept))


def _run(runs: Runs, wishes: Wishes, progress: Callable[[str], None]) -> Readiness:
    if wishes.matrix:
        return run_matrix(runs, wishes, progress)
    trial = try_gates(runs, wishes, progress)
    if not trial.bench.gates or not wishes.self_test:
        return trial.readiness
    proof = prove([trial.bench], trial.faults, progress)
    return replace(trial.readiness, self_test=proof)


def _asked(wishes: Wishes) -> dict[str, Any]:
    return {
        "categories": list(wishes.selection.categories),
        "patterns": list(wishes.selection.patterns),
        "real_services": wishes.real_services,
        "fail_fast": wishes.fail_fast,
        "self_test": wishes.self_test,
        "matrix": wishes.matrix,
    }


def _merge(about: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    versions = {**about["versions"], **more.get("versions", {})}
    return {**about, **more, "versions": versions}
