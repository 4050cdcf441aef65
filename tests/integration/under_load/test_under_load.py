"""The chat service with many users at once, and a component that fails meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from coroguard.gates.load import load_gate


@pytest.mark.gate("under load")
def test_many_users_are_answered_soon(rig, gate_record, monkeypatch):
    """Messages are answered soon and kept, however many users write at once."""
    rig.add_services(gate_record)
    rig.spawn("load", deadline_s=15.0)
    lane = rig.lane("load")
    monkeypatch.setenv("BENCH_AUTH_URL", rig.stack.addresses["AUTH_URL"])
    monkeypatch.setenv("BENCH_AUTH_SECRET", rig.stack.auth_secret)
    link = lane.links["redis"]
    harm = SimpleNamespace(name="redis refused", begin=link.down, end=link.up)
    load_gate(gate_record, "under load", url=lane.service.url, harms=[harm])
