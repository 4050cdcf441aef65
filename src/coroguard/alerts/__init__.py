"""Alerts with title, message, impact and urgency, sent to a webhook."""

from .alert import Alert
from .installation import install
from .settings import AlertSettings
from .sink import Alerts

__all__ = ["Alert", "AlertSettings", "Alerts", "install"]
