"""Users of the demo who write one message after another."""

from __future__ import annotations

from benchmarks import demo_users
from locust import constant


class Writer(demo_users.DemoUser):
    """A user who writes without a pause; the rate limit allows four a second."""

    wait_time = constant(0.3)
