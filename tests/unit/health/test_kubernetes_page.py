"""The manifest of the page on Kubernetes, held against its application."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coroguard.health.checks import DEADLINE_S

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

PAGE = Path(__file__).parents[3] / "docs/how-to/kubernetes-probes.md"


def test_the_probes_have_routes_and_time():
    """Each probe asks a route of the page, and waits for the checks' deadline."""
    page = PAGE.read_text()
    (manifest,) = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    probes = yaml.safe_load(manifest)
    assert set(probes) == {"livenessProbe", "readinessProbe", "startupProbe"}
    routes = set(re.findall(r'Route\("(.*?)"', page))
    assert {probe["httpGet"]["path"] for probe in probes.values()} == routes
    for probe in probes.values():
        assert probe["timeoutSeconds"] >= DEADLINE_S + 0.5
