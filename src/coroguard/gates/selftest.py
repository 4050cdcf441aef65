"""The self-test: planted faults, and the gates that have to turn red."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coroguard._inspect.texts import nearest

from .bad_projects import try_engine
from .errors import GateConfigError
from .readiness import Plant, SelfTest
from .verdict import Gate, Judgement, Verdict, judge

if TYPE_CHECKING:
    from .config import Config
    from .evidence import RunEvidence
    from .runs import Runs

Faults = dict[str, tuple[str, ...]]


def faults_of(config: Config, read: Mapping[str, Sequence[str]]) -> Faults:
    """Return each fault with the gates that must turn red; without any, one must.

    Args:
        config: The project's configuration.
        read: The table that `self_test = "module:NAME"` names, as a run read it.

    Raises:
        GateConfigError: There is no fault, or a fault names a gate that is unknown.
    """
    written = config.self_test
    if isinstance(written, list):
        faults: Faults = dict.fromkeys(written, ())
    else:
        table = read if isinstance(written, str) else written
        faults = {fault: tuple(gates) for fault, gates in table.items()}
    if not faults:
        raise GateConfigError(
            "--self-test has no fault to plant; set self_test = "
            '{ fault = ["gate"] } or self_test = "module:NAME" in [tool.coroguard]'
        )
    for fault, gates in faults.items():
        for gate in gates:
            if gate not in config.gates:
                hint = nearest(gate, config.gates)
                raise GateConfigError(
                    f"self_test: the fault {fault!r} names the gate {gate!r}, "
                    f"which is not configured.{hint}"
                )
    return faults


@dataclass(frozen=True, slots=True)
class Bench:
    """Gates that were tried without any fault, and can be tried with one.

    Args:
        runs: How pytest is run.
        gates: The gates that were asked for, in order.
        verdicts: Their verdicts without any fault.
    """

    runs: Runs
    gates: Sequence[Gate]
    verdicts: Mapping[str, Verdict]


def prove(
    benches: Sequence[Bench], faults: Faults, progress: Callable[[str], None]
) -> SelfTest:
    """Plant each fault and look which gates see it.

    Args:
        benches: Where faults are planted: one after another, until a fault is seen
            by each of its gates. The cells of a matrix are several.
        faults: The faults and the gates that each has to turn red.
        progress: Is called with a line for each step.
    """
    engine = try_engine(benches[0].runs, progress)
    plants: list[Plant] = []
    asked = {gate.name for gate in benches[0].gates}
    for fault, named in faults.items():
        if named and asked.isdisjoint(named):
            continue
        progress(f"self-test: planting {fault!r}")
        plants += _plant_in_each(benches, fault, named)
    unproven = [*_unproven(benches, plants)]
    if not plants:
        unproven.append("no fault was planted, because no gate that has one was green")
    return SelfTest(tuple(plants), tuple(unproven), engine)


def _plant_in_each(
    benches: Sequence[Bench], fault: str, named: Sequence[str]
) -> Iterable[Plant]:
    """Plant a fault until each of its gates has seen it, or on every bench."""
    found: dict[str, Plant] = {}
    for bench in benches:
        for plant in _plant(bench, fault, named):
            if plant.caught or plant.gate not in found:
                found[plant.gate] = plant
        caught = [plant for plant in found.values() if plant.caught]
        if caught and (not named or len(caught) == len(found)):
            break
    if not named and any(plant.caught for plant in found.values()):
        # A fault that is for no gate in particular has fooled none that missed it.
        return [plant for plant in found.values() if plant.caught]
    return found.values()


def _plant(bench: Bench, fault: str, named: Sequence[str]) -> list[Plant]:
    runs, gates, verdicts = bench.runs, bench.gates, bench.verdicts
    wanted = set(named) or {gate.name for gate in gates}
    needed = _with_needs(wanted, gates)
    so_far: dict[str, Verdict] = {}
    plants: list[Plant] = []
    for gate in gates:
        if gate.name not in needed:
            continue
        run = runs.run(gate, so_far, plant=fault)
        judgement = judge(gate, run, verdicts=so_far)
        so_far[gate.name] = judgement.verdict
        # Red because of a gate that it needs, it has seen nothing itself.
        judgement = judge(replace(gate, needs=()), run)
        if gate.name in wanted and verdicts[gate.name] is Verdict.PASSED:
            plants.append(_saw(fault, gate, judgement, run))
    return plants


def _saw(fault: str, gate: Gate, judgement: Judgement, run: RunEvidence) -> Plant:
    """Return the result of a planted fault; only an assertion or a leak catches it."""
    found = any(run.tests[test].saw for test in gate.expected if test in run.tests)
    leaked = any(run.leaks)
    return Plant(
        fault=fault,
        gate=gate.name,
        caught=judgement.verdict is Verdict.FAILED and (found or leaked),
        verdict=judgement.verdict,
        reason=judgement.reasons[0] if judgement.reasons else "",
    )


def _with_needs(names: set[str], gates: Sequence[Gate]) -> set[str]:
    needed = set(names)
    for gate in reversed(gates):
        if gate.name in needed:
            needed.update(gate.needs)
    return needed


def _unproven(benches: Sequence[Bench], plants: Sequence[Plant]) -> list[str]:
    """Name the green gates that no fault turned red; the others are not judged."""
    caught = {plant.gate for plant in plants if plant.caught}
    green = {
        gate.name
        for bench in benches
        for gate in bench.gates
        if bench.verdicts[gate.name] is Verdict.PASSED
    }
    return [
        f"{gate.name}: no planted fault turned it red"
        for gate in benches[0].gates
        if gate.blocks_deployment and gate.name in green - caught
    ]
