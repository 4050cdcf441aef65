"""The demo with thousands of connected users, with faults, and its memory."""

# `python -m benchmarks.under_load --users 2000 --seconds 60` prints the figures.

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from coroguard.gates.load.config import LoadConfig, LoadMinimum
from coroguard.gates.load.files import write
from coroguard.gates.load.judge import judge
from coroguard.gates.load.page import rows, summary
from coroguard.gates.load.process import Injection, run_load
from coroguard.gates.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rig import Lane

    from coroguard.gates.load.report import LoadReport

_HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, print what was measured, and return 1 unless the run is PASSED."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--spawn-rate", type=float, default=20.0)
    parser.add_argument("--html", default="")
    asked = parser.parse_args(arguments)
    sys.path.append(str(_HERE.parent / "tests" / "support"))
    from rig import Rig

    with Rig(mode="enforce") as rig:
        rig.spawn("load", deadline_s=15.0)
        lane = rig.lane("load")
        os.environ["BENCH_AUTH_URL"] = rig.stack.addresses["AUTH_URL"]
        os.environ["BENCH_AUTH_SECRET"] = rig.stack.auth_secret
        config = LoadConfig(
            file=str(_HERE / "demo_users.py"),
            users=asked.users,
            spawn_rate=asked.spawn_rate,
            duration_s=asked.seconds,
            processes=2,
            minimum=LoadMinimum(requests=asked.users),
            metrics=f"{lane.service.url}/metrics",
            recovery_s=asked.seconds / 12,
            report_html=asked.html,
        )
        report = run_load(
            config,
            root=_HERE.parent,
            host=lane.service.url,
            faults=_faults(lane, asked.seconds),
        )
    judgement = judge(report, config)
    write(report, judgement, config, Path.cwd(), Redactor.of(os.environ, {}))
    for row in rows(report):
        print(" | ".join(row))
    print(summary(report))
    print(_memory(report))
    for error, count in report.samples.total().errors.most_common(10):
        print(f"{count} times {error}")
    for fault in report.faults:
        print(f"{fault.name}: {fault.began_s:.0f} s to {fault.ended_s:.0f} s")
    for reason in judgement.reasons:
        print(f"reason: {reason}")
    print(judgement.verdict)
    return int(judgement.verdict != "PASSED")


def _faults(lane: Lane, seconds: float) -> list[Injection]:
    """Cut the database and then Redis off, each for a twelfth of the run."""
    links = {name: lane.links[name] for name in ("database", "redis")}
    return [
        Injection(f"{name} refused", at * seconds, seconds / 12, link.down, link.up)
        for at, (name, link) in zip((1 / 6, 1 / 2), links.items(), strict=True)
    ]


def _memory(report: LoadReport) -> str:
    """Return the memory of the service in each tenth of the run, all connected."""
    metrics, ready = report.metrics, report.ready - report.started
    all_there = [mb for at, mb in (metrics.memory_mb if metrics else ()) if at >= ready]
    tenth = len(all_there) // 10
    if not tenth:
        return "memory: not known"
    parts = [all_there[at : at + tenth] for at in range(0, 10 * tenth, tenth)]
    medians = " ".join(f"{statistics.median(part):.0f}" for part in parts)
    return f"memory of the service in each tenth of the run, MB: {medians}"


if __name__ == "__main__":
    sys.exit(main())
