"""Delivery of alerts over HTTP: the two bodies, and retries with backoff."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .._version import __version__

if TYPE_CHECKING:
    from .alert import Alert
    from .settings import AlertSettings

#: Seconds to wait before each further attempt.
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_BUSY = (408, 425, 429)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keep a POST from becoming a GET without a body, which loses the alert."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def deliver(
    alerts: Sequence[Alert],
    settings: AlertSettings,
    *,
    dropped: int = 0,
    wait: Callable[[float], object] = time.sleep,
) -> str:
    """Send alerts in one request; try again while the receiver may recover.

    Args:
        alerts: At least one.
        settings: The receiver.
        dropped: How many alerts had no room, which the receiver is sent.
        wait: Waits for some seconds; a true result ends the attempts.

    Returns:
        Why they did not arrive; empty where they did.
    """
    shape = as_api if settings.is_api else as_webhook
    body = json.dumps(shape(alerts, settings, dropped)).encode()
    why, may_recover = _post(body, settings)
    for backoff_s in BACKOFF_S:
        if not may_recover or wait(backoff_s):
            break
        why, may_recover = _post(body, settings)
    return why


def as_webhook(
    alerts: Sequence[Alert], settings: AlertSettings, dropped: int = 0
) -> dict[str, Any]:
    """Return the body that Alertmanager posts to a webhook. Source: its docs, v4."""
    found = [alert.to_json() for alert in alerts]
    common = _common([it["labels"] for it in found])
    return {
        "version": "4",
        "groupKey": f"coroguard:{settings.service}",
        "truncatedAlerts": dropped,
        "status": "firing" if any(not it.ended for it in alerts) else "resolved",
        "receiver": "coroguard",
        "groupLabels": {},
        "commonLabels": common,
        "commonAnnotations": _common([it["annotations"] for it in found]),
        "externalURL": "",
        "alerts": found,
    }


def as_api(
    alerts: Sequence[Alert],
    settings: AlertSettings,
    dropped: int = 0,  # noqa: ARG001 - its shape has no place for it
) -> list[dict[str, Any]]:
    """Return the body of Alertmanager's `POST /api/v2/alerts`.

    It ends an alert by itself, so that none stays where the process has died.
    """
    ends = datetime.now(UTC) + timedelta(seconds=2 * settings.resolve_after_s)
    return [
        {
            **{
                name: value
                for name, value in alert.to_json().items()
                if name in ("labels", "annotations", "startsAt")
            },
            "endsAt": (alert.ended or ends).isoformat(),
        }
        for alert in alerts
    ]


def _common(tables: Sequence[dict[str, str]]) -> dict[str, str]:
    first, *others = tables
    return {k: v for k, v in first.items() if all(it.get(k) == v for it in others)}


def _post(body: bytes, settings: AlertSettings) -> tuple[str, bool]:
    """Return why a request failed, and whether another one may not fail."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"coroguard/{__version__}",
    }
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token}"
    try:
        request = urllib.request.Request(settings.url, body, headers, method="POST")
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=settings.timeout_s):
            return "", False
    except urllib.error.HTTPError as answer:
        answer.close()
        may_recover = answer.code >= 500 or answer.code in _BUSY
        return f"{settings.host} answered {answer.code}", may_recover
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"{settings.host} was not reached: {type(reason).__name__}", True
    except Exception as error:
        # Such as a token that no header can hold; its text may hold the token.
        return f"{settings.host} cannot be sent to: {type(error).__name__}", False
