"""The real services that the health check of these tests asks."""

from __future__ import annotations

import health_gates
import pytest

planted = health_gates.planted
rig = health_gates.rig
user_context = health_gates.user_context


@pytest.fixture
def lane(rig, gate_record):
    """A chat service on links of its own, which are well when the test begins."""
    rig.add_services(gate_record)
    rig.spawn("crowd", deadline_s=5.0)
    lane = rig.lane("crowd")
    yield lane
    for link in lane.links.values():
        link.heal()


@pytest.fixture
def addresses(rig, lane, monkeypatch):
    """The health check of this process, led over the same links as the service."""
    for name, url in rig.addresses(lane.links).items():
        monkeypatch.setenv(name, url)
    # A component that is down refuses at once; one that does not is only slow.
    monkeypatch.setenv("CHAT_HEALTH_DEADLINE_S", "30")
