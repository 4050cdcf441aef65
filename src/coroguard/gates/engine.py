"""The gates of a project, run one after another and judged."""

from __future__ import annotations

import datetime
import os
import shutil
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coroguard._files import temporary_folder
from coroguard._pyproject import find_root

from . import run_info as surroundings
from .config import load
from .environment import left_out
from .errors import CollectionError, GateConfigError
from .evidence import RunEvidence
from .missing import with_missing
from .output import clean, each_text
from .pins import read_pins, write_pins
from .readiness import ExitCode, GateResult, Readiness
from .real_services import RealServices
from .redact import Redactor
from .runs import Runs
from .selection import Selection, pin
from .selftest import faults_of, prove
from .verdict import Gate, Judgement, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence


_MOST_REASONS = 100
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line.

    Args:
        selection: Which gates.
        real_services: Whether each service has to be real.
        fail_fast: Whether the first gate that is not green ends it all.
        self_test: Whether faults are planted afterwards.
        pin: Whether the list of expected tests is written first.
    """

    selection: Selection = field(default_factory=Selection)
    real_services: bool = False
    fail_fast: bool = False
    self_test: bool = False
    pin: bool = False


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
    services: Mapping[str, str] = {}
    try:
        config = load(folder)
        services = config.services
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
    # What the runs report about themselves is more than what the command knows.
    readiness = replace(readiness, about=_merge(about, readiness.about))
    return _published(readiness, services)


@contextmanager
def _scratch() -> Generator[Path]:
    """Make the folder of the runs, and remove it afterwards."""
    folder = temporary_folder("coroguard-gate-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _published(readiness: Readiness, services: Mapping[str, str]) -> Readiness:
    """Return what may leave the command: the one boundary for every output."""
    redact = Redactor.of(os.environ, services)
    results = [
        replace(result, judgement=_capped(result.judgement))
        for result in readiness.results
    ]
    readiness = replace(readiness, results=results)
    return each_text(readiness, lambda text: clean(redact(text)))


def _capped(judgement: Judgement) -> Judgement:
    """Keep as many reasons, and as much of each, as somebody reads."""
    kept = [reason[:_LONGEST_REASON] for reason in judgement.reasons[:_MOST_REASONS]]
    more = len(judgement.reasons) - len(kept)
    if more:
        kept.append(f"and {more} more")
    return Judgement(judgement.verdict, tuple(kept))


def _run(runs: Runs, wishes: Wishes, progress: Callable[[str], None]) -> Readiness:
    progress("collecting")
    report = runs.collect()
    gates = pin(runs.config, report["collected"])
    if wishes.pin:
        progress(f"writing {write_pins(runs.root, gates)}")
    gates = with_missing(gates, runs.config, report, read_pins(runs.root))
    asked = [gate for gate in gates if wishes.selection.fits(gate)]
    faults = faults_of(runs.config, report["faults"]) if wishes.self_test else {}
    about: dict[str, Any] = {"versions": report["versions"]}
    if not asked:
        names = ", ".join(gate.name for gate in gates)
        text = f"no gate fits what was asked for; there are: {names}"
        return Readiness(problem=(ExitCode.INCOMPLETE, text), about=about)
    results = _judge_all(runs, asked, wishes, progress)
    proof = None
    if wishes.self_test:
        verdicts = {result.gate.name: result.verdict for result in results}
        proof = prove(runs, faults, asked, verdicts, progress)
    return Readiness(
        results=results,
        not_asked=[gate.name for gate in gates if gate not in asked],
        self_test=proof,
        about=about,
    )


def _judge_all(
    runs: Runs, gates: Sequence[Gate], wishes: Wishes, progress: Callable[[str], None]
) -> list[GateResult]:
    results: list[GateResult] = []
    verdicts: dict[str, Verdict] = {}
    stopped_by = ""
    real = RealServices(runs.config.services, demanded=wishes.real_services)
    for gate in gates:
        if stopped_by:
            reason = f"--fail-fast: {stopped_by!r} was not green"
            judgement = Judgement(Verdict.NOT_RUN, (reason,))
            run = RunEvidence()
        else:
            progress(f"running {gate.name!r}: {len(gate.expected)} tests")
            run = runs.run(gate, verdicts)
            judgement = judge(
                gate, run, real_services=wishes.real_services, verdicts=verdicts
            )
            judgement = real.judge(judgement, run)
        result = GateResult(gate, judgement, run, runs.config.waiver(gate.name))
        results.append(result)
        verdicts[gate.name] = result.verdict
        if wishes.fail_fast and result.blocks and not stopped_by:
            stopped_by = gate.name
    return results


def _asked(wishes: Wishes) -> dict[str, Any]:
    return {
        "categories": list(wishes.selection.categories),
        "patterns": list(wishes.selection.patterns),
        "real_services": wishes.real_services,
        "fail_fast": wishes.fail_fast,
        "self_test": wishes.self_test,
    }


def _merge(about: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    versions = {**about["versions"], **more.get("versions", {})}
    return {**about, **more, "versions": versions}
