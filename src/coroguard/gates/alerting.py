"""Alerts of gates that block a release."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..alerts.alert import Alert, labels_of
from ..alerts.delivery import deliver
from .output import flat

if TYPE_CHECKING:
    from ..alerts.settings import AlertSettings
    from .readiness import Readiness

_NAME = "DeploymentBlocked"


def send_alerts(readiness: Readiness, settings: AlertSettings) -> None:
    """Send an alert for all that blocks; the exit code does not depend on it."""
    alerts = [*alerts_of(readiness, settings)]
    why = deliver(alerts, settings) if alerts else ""
    if why:
        sys.stderr.write(f"coroguard: the alert was not delivered: {flat(why)}\n")


def alerts_of(readiness: Readiness, settings: AlertSettings) -> Iterator[Alert]:
    """Yield an alert for each gate that blocks, or for the reason that none ran."""
    if readiness.problem:
        why = readiness.problem[1].partition("\n")[0]
        yield _alert(settings, "", "Deployment gates did not run", why)
    for result in readiness.results:
        if result.blocks:
            gate, reasons = result.gate, "; ".join(result.judgement.reasons)
            title = f"{gate.title or gate.name}: {result.verdict}"
            yield _alert(settings, gate.name, title, reasons, gate.impact)
    proof = readiness.self_test
    if proof is not None and not proof.ok:
        why = "; ".join([*proof.fooled, *proof.unproven]) or "no fault was planted"
        yield _alert(settings, "self-test", "The gates failed their self-test", why)


def _alert(
    settings: AlertSettings, gate: str, title: str, why: str, impact: str = ""
) -> Alert:
    return Alert(
        labels=labels_of(settings, _NAME, gate=gate),
        title=title,
        message=f"Deployment blocked: {why or 'no reason was given'}",
        impact=impact or settings.impact or "this release is not deployed",
        urgency=settings.urgency,
        started=datetime.datetime.now(datetime.UTC),
    )
