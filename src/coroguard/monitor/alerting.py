"""Alerts of components that fail, and of drift, until they are well again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._inspect.texts import cut
from ..alerts.alert import Alert, labels_of
from .findings import DRIFT

if TYPE_CHECKING:
    from ..alerts.settings import AlertSettings
    from ..alerts.sink import Alerts
    from .findings import Finding, Round

_LONGEST = 1_000


def send_alerts(found: Round, alerts: Alerts) -> None:
    """Fire an alert for each component that fails, and resolve those of the others."""
    for finding in found.findings:
        name = "CodeDrifted" if finding.check == DRIFT else "HealthCheckUnhealthy"
        labels = labels_of(alerts.settings, name, check=finding.check)
        if finding.status != "failed":
            alerts.resolve(labels)
            continue
        alerts.fire(
            Alert(
                labels=labels,
                title=_title(finding),
                message=cut(finding.text, _LONGEST),
                impact=_impact(finding, alerts.settings),
                urgency=alerts.settings.urgency,
                started=found.at,
            )
        )


def _title(finding: Finding) -> str:
    if finding.check == DRIFT:
        return "The code has drifted from its lock"
    return f"Health check {finding.check} fails"


def _impact(finding: Finding, settings: AlertSettings) -> str:
    if settings.impact:
        return settings.impact
    if finding.check == DRIFT:
        return "callers that were right for the locked code may be wrong now"
    return f"what depends on {finding.check} does not work"
