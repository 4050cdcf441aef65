"""The frozen record of an alert, and how an event becomes one."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._leaks.errors import HealthReportError
from .._leaks.leak import LeakKind, labelled_lines, short

if TYPE_CHECKING:
    import datetime

    from .._runtime.events import Event
    from .settings import AlertSettings

#: The labels that identify an alert, as in Alertmanager.
Labels = tuple[tuple[str, str], ...]

# Go's zero time, for an alert that has not ended. Source: Alertmanager's webhook.
_NOT_ENDED = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert; strings and times only.

    Args:
        labels: What identifies it, sorted; ``alertname`` is one of them.
        title: What happened, in a few words.
        message: What happened, where, and how to mend it.
        impact: What it means for the users of the service.
        urgency: How soon someone has to look, such as ``immediate``.
        started: When it began, aware.
        ended: When it ended; ``None`` while it fires.
    """

    labels: Labels
    title: str
    message: str
    impact: str
    urgency: str
    started: datetime.datetime
    ended: datetime.datetime | None = None

    @property
    def status(self) -> str:
        """Return ``firing`` or ``resolved``."""
        return "firing" if self.ended is None else "resolved"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data. Source: Alertmanager's webhook, version 4."""
        identity = "\0".join(f"{name}\0{value}" for name, value in self.labels)
        return {
            "status": self.status,
            "labels": dict(self.labels),
            "annotations": {
                "title": self.title,
                "message": self.message,
                "impact": self.impact,
                "urgency": self.urgency,
            },
            "startsAt": self.started.isoformat(),
            "endsAt": self.ended.isoformat() if self.ended else _NOT_ENDED,
            "generatorURL": "",
            "fingerprint": hashlib.sha256(identity.encode()).hexdigest()[:16],
        }


def labels_of(settings: AlertSettings, alertname: str, **more: str) -> Labels:
    """Return the sorted labels of an alert; empty ones are left out.

    Args:
        settings: Those of the service, whose own labels are added.
        alertname: What kind of alert it is.
        more: Labels that the code bounds: never a path or a message.
    """
    labels = {
        "severity": "critical",
        **dict(settings.labels),
        "alertname": alertname,
        "service": settings.service,
        **more,
    }
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def labels_of_event(event: Event, settings: AlertSettings) -> Labels:
    """Return the labels of an event's alert; empty if it needs no alert.

    Each process has its own, because it only knows of itself when a place is quiet.
    """
    leak = event.leak
    instance = f"{socket.gethostname()}:{os.getpid()}"
    if leak is not None:
        return labels_of(
            settings,
            "CoroutineLeak",
            instance=instance,
            kind=leak.kind.value,
            function=event.guarded,
            leaked=leak.name,
            defined=leak.defined,
        )
    if isinstance(event.error, HealthReportError):
        return labels_of(
            settings, "WrongHealthReport", instance=instance, function=event.guarded
        )
    return ()


def alert_of(event: Event, labels: Labels, settings: AlertSettings) -> Alert:
    """Return the alert of a leak, or of a report of the wrong shape.

    The message has no path: that may hold keys of a user's data.
    """
    leak = event.leak
    headline, _, _ = str(event.error or leak).partition("\n")
    if leak is None:
        title = f"Health report of the wrong shape: {short(event.guarded)}"
        fix = "see the log of coroguard.leak for the violations"
        message = labelled_lines(headline, fix=fix)
    else:
        is_mirror = leak.kind is LeakKind.NOT_AWAITABLE
        what = "Plain value awaited" if is_mirror else "Coroutine leak"
        title = f"{what} in {short(event.guarded) or 'the program'}"
        message = labelled_lines(
            headline, leaked=str(leak), lost=leak.lost, fix=leak.advice
        )
    return Alert(
        labels=labels,
        title=title,
        message=message,
        impact=settings.impact
        or f"what depends on {short(event.guarded) or 'it'} is wrong",
        urgency=settings.urgency,
        started=event.at,
    )
