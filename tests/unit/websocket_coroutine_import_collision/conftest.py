"""Stand-ins for the services of the health check, and planted faults."""

from __future__ import annotations

import inspect

import pytest
from health_gates import new_context, plant

from coroguard.demo import health
from coroguard.demo.error_handler import component_health
from coroguard.demo.errors import ComponentUnavailable
from coroguard.demo.settings import EXAMPLES


class Components:
    """The links of the health check; each answers at once, or is down."""

    def __init__(self):
        self.down = set()

    def check(self, name):
        async def check(_environ):
            if name in self.down:
                code = f"{name.upper()}_UNREACHABLE"
                raise ComponentUnavailable(name, "connection refused", code=code)
            return {"answer": "fine"}

        return check


@pytest.fixture(autouse=True)
def components(monkeypatch):
    """Fakes in the place of the services, so that only the report is judged."""
    fakes = Components()
    links = {name: fakes.check(name) for name in health.LINKS}
    monkeypatch.setattr(health, "LINKS", links)
    for name, example in EXAMPLES.items():
        monkeypatch.setenv(name, example)
    return fakes


@pytest.fixture(autouse=True)
def planted(components, monkeypatch):
    """The fault of the self-test; none in an ordinary run."""
    plant(monkeypatch.setattr)


@pytest.fixture
def health_check():
    """The health check as the error handler calls it; no coroutine is left behind."""
    returned = []

    def call(user_context=None):
        health_report = component_health(user_context)
        returned.append(health_report)
        return health_report

    yield call
    for health_report in returned:
        if inspect.iscoroutine(health_report):
            health_report.close()


@pytest.fixture
def user_context():
    """A user's context, made of real ids."""
    return new_context()
