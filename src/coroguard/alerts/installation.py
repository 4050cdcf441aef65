"""The sink of the process, which `install` starts."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .settings import read_settings
from .sink import Alerts

_installing = threading.Lock()
_installed: list[Alerts] = []


def install(
    *,
    url: str | None = None,
    service: str | None = None,
    impact: str | None = None,
    urgency: str | None = None,
    labels: Mapping[str, str] | None = None,
    resolve_after_s: float | None = None,
    timeout_s: float | None = None,
    root: Path | None = None,
) -> Alerts:
    """Send an alert for each place that leaks, from now on.

    What is not given is read from ``[tool.coroguard.alerts]``. The environment's
    ``COROGUARD_ALERT_URL`` overrules both, and only it holds secrets, with
    ``COROGUARD_ALERT_TOKEN``. A second call with the same settings changes nothing;
    one with others replaces the first.

    Args:
        url: The webhook; one that ends in ``/api/v2/alerts`` is Alertmanager's own.
        service: The label ``service``.
        impact: What an alert means for the users of the service.
        urgency: How soon someone has to look; ``immediate`` by default.
        labels: Further labels of each alert.
        resolve_after_s: An alert is resolved when its place has been quiet for so
            long; 600 by default.
        timeout_s: How long the receiver may take to answer; 5 by default.
        root: A folder of the project; ``None`` is the current one.

    Raises:
        GuardUsageError: There is no URL, or a setting cannot be right.
    """
    given: dict[str, Any] = {
        "url": url,
        "service": service,
        "impact": impact,
        "urgency": urgency,
        "labels": labels,
        "resolve_after_s": resolve_after_s,
        "timeout_s": timeout_s,
    }
    known = {name: value for name, value in given.items() if value is not None}
    settings = read_settings(root, **known)
    with _installing:
        for alerts in [*_installed]:
            if alerts.settings == settings and alerts.is_subscribed:
                return alerts
            alerts.close()
            _installed.remove(alerts)
        alerts = Alerts(settings)
        alerts.subscribe()
        _installed.append(alerts)
    return alerts
