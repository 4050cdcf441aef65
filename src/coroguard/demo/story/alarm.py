"""Step 5: the alarm of the outage, as a metric and as an alert."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httpx

from coroguard.demo.story.evidence import Claim, contains, equal

if TYPE_CHECKING:
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.receiver import Receiver
    from coroguard.demo.story.screen import Screen

_PATIENCE_S = 30.0
_LEAKS = re.compile(r"^coroguard_leaks_total\{.*\} (\S+)$", re.M)
_TITLE = "Coroutine leak in component_health"


def leaks(service: PythonService) -> int:
    """Return how many leaks a service has counted, from its metrics."""
    return sum(int(float(value)) for value in _LEAKS.findall(_metrics(service)))


async def run(
    service: PythonService,
    before: int,
    receiver: Receiver,
    users: int,
    screen: Screen,
) -> list[Claim]:
    """Show what the leaks of the guarded outage did to a metric and a webhook.

    Args:
        service: The guarded service with the other team's function.
        before: How many leaks it had counted before the outage.
        receiver: Where it sends its alerts.
        users: How many users it failed to answer.
        screen: Where metric and alert are shown.
    """
    after = leaks(service)
    lines = [line for line in _metrics(service).splitlines() if _LEAKS.match(line)]
    screen.quote("GET /metrics", "\n".join(lines))
    sent = await asyncio.to_thread(
        receiver.wait_for, lambda alert: alert["status"] == "firing", _PATIENCE_S
    )
    notes = sent["annotations"]
    shown = [f"{name}: {text}" for name, text in notes.items()]
    screen.quote("webhook", "\n".join(shown))
    fix = ("leaked:", "chat_probes.py:", "fix:")
    return [
        equal("before the outage, the metric of leaks was 0", before, 0),
        equal("it has risen by one for each user", after, users),
        equal("an alert has arrived", notes["title"], _TITLE),
        contains("it names the leak, its line and the fix", notes["message"], *fix),
        equal("its urgency is that of an outage", notes["urgency"], "immediate"),
        contains("and it states the impact", notes["impact"], "chat"),
        equal(f"{users} leaks of one place are one alert", len(receiver.alerts), 1),
    ]


def _metrics(service: PythonService) -> str:
    url = f"{service.url}/metrics"
    return httpx.get(url, timeout=30, trust_env=False).raise_for_status().text
