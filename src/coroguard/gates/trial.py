"""One trial of a project's gates, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .evidence import RunEvidence
from .missing import with_missing
from .pins import read_pins, write_pins
from .readiness import ExitCode, GateResult, Readiness
from .real_services import RealServices
from .selection import Selection, pin
from .selftest import Bench, Faults, faults_of
from .verdict import Judgement, Verdict, judge

if TYPE_CHECKING:
    from .runs import Runs
    from .verdict import Gate


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command line.

    Args:
        selection: Which gates.
        real_services: Whether each service has to be real.
        fail_fast: Whether the first gate that is not green ends it all.
        self_test: Whether faults are planted afterwards.
        pin: Whether the list of expected tests is written first.
        matrix: Whether the gates are run in each cell of the matrix: ``""`` for no,
            ``"pairwise"``, ``"full"``, or ``"as configured"``.
    """

    selection: Selection = field(default_factory=Selection)
    real_services: bool = False
    fail_fast: bool = False
    self_test: bool = False
    pin: bool = False
    matrix: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """The results of a trial.

    Args:
        readiness: The readiness of the gates that were asked for.
        bench: What the self-test needs to try the same gates again.
        faults: The faults to plant; empty without a self-test.
    """

    readiness: Readiness
    bench: Bench
    faults: Faults = field(default_factory=dict[str, tuple[str, ...]])


def try_gates(
    runs: Runs,
    wishes: Wishes,
    progress: Callable[[str], None],
    elsewhere: Mapping[str, Sequence[str]] | None = None,
) -> Trial:
    """Collect, run and judge the gates that were asked for.

    Args:
        runs: How pytest is run.
        wishes: What was asked for.
        progress: Is called with a line for each step.
        elsewhere: Tests by gate that another cell of a matrix has collected.

    Raises:
        CollectionError: Which tests there are could not be found out.
        GateConfigError: The project is configured wrongly.
    """
    progress("collecting")
    report = runs.collect()
    gates = pin(runs.config, report["collected"])
    if wishes.pin:
        progress(f"writing {write_pins(runs.root, gates)}")
    gates = with_missing(gates, runs.config, report, read_pins(runs.root))
    gates = [
        _with_elsewhere(gate, (elsewhere or {}).get(gate.name, ())) for gate in gates
    ]
    asked = [gate for gate in gates if wishes.selection.fits(gate)]
    faults = faults_of(runs.config, report["faults"]) if wishes.self_test else {}
    about: dict[str, Any] = {"versions": report["versions"]}
    if not asked:
        names = ", ".join(gate.name for gate in gates)
        text = f"no gate fits what was asked for; there are: {names}"
        problem = Readiness(problem=(ExitCode.INCOMPLETE, text), about=about)
        return Trial(problem, Bench(runs, [], {}))
    results = _judge_all(runs, asked, wishes, progress)
    readiness = Readiness(
        results=results,
        not_asked=[gate.name for gate in gates if gate not in asked],
        about=about,
    )
    verdicts = {result.gate.name: result.verdict for result in results}
    return Trial(readiness, Bench(runs, asked, verdicts), faults)


def _with_elsewhere(gate: Gate, tests: Sequence[str]) -> Gate:
    """Expect also what another cell has collected: fewer tests prove less."""
    missing = [test for test in tests if test not in gate.expected]
    lines = [f"{test} (collected in another cell)" for test in missing]
    return replace(gate, uncollected=(*gate.uncollected, *lines))


def _judge_all(
    runs: Runs, gates: Sequence[Gate], wishes: Wishes, progress: Callable[[str], None]
) -> list[GateResult]:
    results: list[GateResult] = []
    verdicts: dict[str, Verdict] = {}
    stopped_by = ""
    real = RealServices(
        runs.config.services,
        demanded=wishes.real_services,
        environment=runs.environment,
    )
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
