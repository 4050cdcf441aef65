"""Alerts with title, message, impact and urgency, sent to a webhook."""

from __future__ import annotations

from .alert import Alert
from .installation import install
from .settings import AlertSettings
from .sink import Alerts

__all__ = ["Alert", "AlertSettings", "Alerts", "install"]
