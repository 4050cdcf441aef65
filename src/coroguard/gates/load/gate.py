"""A gate that puts a running service under load."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coroguard._pyproject import find_root

from ..config import load
from ..errors import GateConfigError
from ..redact import Redactor
from ..verdict import Verdict
from . import files
from .config import AFTER_S
from .judge import judge
from .process import Injection, by_command, run_load
from .report import PERCENTS

if TYPE_CHECKING:
    from ..ready_made.harm import Harm
    from ..record import GateRecord
    from .config import LoadConfig
    from .report import LoadReport


class LoadFailed(AssertionError):  # noqa: N818  # a verdict
    """A run under load broke a limit; one line for each."""


def load_gate(
    record: GateRecord,
    gate: str,
    *,
    url: str = "",
    harms: Sequence[Harm] = (),
    root: Path | None = None,
) -> None:
    """Put a service under the load of ``[tool.coroguard.gates."name".load]``.

    Args:
        record: Where the gate records what was done and measured.
        gate: The name of the gate whose table holds the criteria.
        url: The address of the service; empty is the ``host`` of the table.
        harms: What is injected, one after another, in the middle of the run.
        root: A folder of the project; ``None`` is the current one.

    Raises:
        LoadFailed: A limit was broken, or a message was lost or mixed up.
        MissingService: The run proves nothing: the gate is INCOMPLETE.
        GateConfigError: The gate has no table ``load``, or its run is too short for
            the harms.
    """
    folder = find_root(root or Path.cwd())
    config = table_of(folder, gate)
    files.remove_old(config, folder)
    faults = [*by_command(config), *_spread(harms, config)]
    host = url or config.host
    if not host:
        raise GateConfigError(f"load_gate({gate!r}) was given no url, and has no host")
    report = run_load(config, root=folder, host=host, faults=faults)
    judgement = judge(report, config)
    files.write(report, judgement, config, folder, Redactor.of(os.environ, {}))
    _record(record, report)
    text = "\n  ".join(judgement.reasons)
    if judgement.verdict is Verdict.FAILED:
        raise LoadFailed(f"{gate}: {text}")
    if judgement.verdict is not Verdict.PASSED:
        record.missing("load", text)


def table_of(root: Path, gate: str) -> LoadConfig:
    """Return the table ``load`` of a gate.

    Raises:
        GateConfigError: There is no such gate, or it has no such table.
    """
    gates = load(root).gates
    if gate not in gates:
        raise GateConfigError(f"there is no gate {gate!r} in [tool.coroguard.gates]")
    found = gates[gate].load
    if found is None:
        raise GateConfigError(
            f'the gate {gate!r} has no table [tool.coroguard.gates."{gate}".load]'
        )
    return found


def _spread(harms: Sequence[Harm], config: LoadConfig) -> list[Injection]:
    """Place harms in the middle of a run, each with the time to recover after it.

    Raises:
        GateConfigError: The run is too short for them.
    """
    if not harms:
        return []
    part = config.duration_s / len(harms)
    free = part - config.recovery_s - AFTER_S
    if free < 1:
        needed = len(harms) * (1 + config.recovery_s + AFTER_S)
        raise GateConfigError(
            f"duration_s = {config.duration_s:g} is too short for {len(harms)} harms "
            f"and the recovery from each; make it at least {needed:g}"
        )
    for_s = free / 3
    return [
        Injection(harm.name, number * part + for_s, for_s, harm.begin, harm.end)
        for number, harm in enumerate(harms)
    ]


def _record(record: GateRecord, report: LoadReport) -> None:
    faults = sum(not fault.error for fault in report.faults)
    record.did(requests=report.samples.total().requests, users=report.users)
    if report.faults:
        record.did(faults=faults)
    for name in report.samples.names:
        total = report.samples.total(name)
        for percent in PERCENTS:
            record.measure(f"{name} p{percent}", total.percentile(percent) or 0, "ms")
    if report.metrics and report.metrics.leaks is not None:
        record.measure("leaks in the service", report.metrics.leaks)
