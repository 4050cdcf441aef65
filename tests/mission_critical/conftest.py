"""The real services of the gates, and the fault that is planted, if any."""

from __future__ import annotations

import health_gates
import pytest

planted = health_gates.planted
rig = health_gates.rig
user_context = health_gates.user_context

OUTCOMES = pytest.StashKey()


@pytest.fixture
def addresses(rig, monkeypatch):
    """The health check of this process, with the services over links of its own."""
    for name, url in rig.addresses(rig.links).items():
        monkeypatch.setenv(name, url)
    # A component that is down refuses at once; one that does not is only slow.
    monkeypatch.setenv("CHAT_HEALTH_DEADLINE_S", "30")
    yield rig.links
    for link in rig.links.values():
        link.heal()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what became of each gate, for the summary in a run of plain pytest."""
    report = yield
    outcomes = item.config.stash.setdefault(OUTCOMES, {})
    for mark in item.iter_markers("gate"):
        if report.failed:
            outcomes[mark.args[0]] = "FAILED"
        elif report.when == "call" and report.passed:
            outcomes.setdefault(mark.args[0], "PASSED")
    return report


@pytest.fixture
def verdicts(request, gate_record):
    """The verdicts of the gates so far: those of `coroguard gate`, or of this run."""
    return gate_record.verdicts or request.config.stash.get(OUTCOMES, {})
