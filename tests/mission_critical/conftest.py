"""The real services of the gates, and the fault that is planted, if any."""

from __future__ import annotations

import importlib.util
import os
import uuid
from pathlib import Path

import pytest

from coroguard.demo.context import UserExecutionContext
from coroguard.demo.rig import shared_rig

PLANTS = Path(__file__).with_name("plants")
MODE = os.environ.get("COROGUARD_MODE") or "enforce"
PLANT = os.environ.get("COROGUARD_PLANT")
OUTCOMES = pytest.StashKey()


@pytest.fixture(scope="session")
def rig():
    """Real servers, with a fault proxy before each."""
    with shared_rig(mode=MODE, modules=PLANTS if PLANT else None) as rig:
        yield rig


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """The fault of the self-test, in this process; none in an ordinary run."""
    if PLANT:
        file = PLANTS / "planted.py"
        spec = importlib.util.spec_from_file_location("planted", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.plant(PLANT, monkeypatch.setattr)


@pytest.fixture
def addresses(rig, monkeypatch):
    """The health check of this process, with the services over links of its own."""
    for name, url in rig.addresses(rig.links).items():
        monkeypatch.setenv(name, url)
    yield rig.links
    for link in rig.links.values():
        link.heal()


@pytest.fixture
def user_context():
    """Make a user's context out of real ids."""

    def make():
        return UserExecutionContext(*(str(uuid.uuid4()) for _ in range(5)))

    return make


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
