"""Alerts with title, message, impact and urgency, sent to a webhook."""

from __future__ import annotations

from .alert import Alert
from .delivery import deliver
from .installation import install
from .settings import AlertSettings, read_settings
from .sink import Alerts

__all__ = [
    "Alert",
    "AlertSettings",
    "Alerts",
    "deliver",
    "install",
    "read_settings",
]
