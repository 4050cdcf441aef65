"""Planted faults turn the gates red that are there for them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[3]
UNIT = "tests/unit/websocket_coroutine_import_collision"
INTEGRATION = "tests/integration/websocket_coroutine_import_collision"
CRITICAL = "tests/mission_critical"
SUITE = (UNIT, INTEGRATION, CRITICAL)
GATES = (
    f"{CRITICAL}/test_websocket_import_collision_prevention.py::test_mission_critical_"
)
# What each gate runs; the summary is red because another gate of the same run is.
TESTS = {
    "unit": UNIT,
    "schedules": "tests/unit/sign_in_schedules",
    "integration": INTEGRATION,
    "under load": "tests/integration/under_load",
    "health report": GATES + "health_report_dict_guarantee",
    "error handler": GATES + "websocket_error_handler_resilience",
    "chat flow": GATES + "end_to_end_chat_flow",
    "concurrent users": GATES + "concurrent_user_protection",
    "readiness": GATES + "deployment_readiness_summary",
}
FAULTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coroguard"][
    "self_test"
]
# The words with which the gate has to name the fault, or it is red by chance.
WORDS = {
    "health-returns-coroutine": "let a coroutine escape",
    "health-truth-tests-coroutine": "nothing failed, not ['redis']",
    "database-ignored": "nothing failed, not ['database']",
    "swallowed-error": "the handler hangs",
    "handler-hangs": "the handler hangs",
    "lost-message": "marker-",
    "crossed-message": "another user's",
    "keys-fetched-twice": "fetched the keys 2 times",
    "one-at-a-time": "chat p95",
}
# The tests that the founding document names, and their errors before the fix.
NO_GET = "'coroutine' object has no attribute 'get'"
NOT_DICT = "health_report is <class 'coroutine'>, not dict"
NAMED = {
    "test_health_report_returns_dict_not_coroutine": NOT_DICT,
    "test_health_report_contains_required_fields": NO_GET,
    "test_async_health_check_collision_simulation": NO_GET,
    "test_websocket_error_handler_dict_operations": NO_GET,
    "test_type_safety_enforcement": NOT_DICT,
    "test_real_service_health_validation_dict_return": "Real service coroutine error",
    "test_exception_handler_with_real_services": "Real service coroutine error",
    "test_websocket_manager_factory_with_real_connections": NO_GET,
    "test_concurrent_health_validation_race_conditions": NO_GET,
    "test_mission_critical_health_report_dict_guarantee": NOT_DICT,
    "test_mission_critical_websocket_error_handler_resilience": NO_GET,
    "test_mission_critical_end_to_end_chat_flow": NO_GET,
    "test_mission_critical_concurrent_user_protection": NO_GET,
    "test_mission_critical_deployment_readiness_summary": "BLOCKS DEPLOYMENT: Yes",
}


# The runs share two processors with each other and with whatever else there is.
pytestmark = pytest.mark.timeout(900)


class Run:
    """A run of pytest in a process of its own, with a fault planted."""

    def __init__(self, folder, tests, fault, mode):
        self.xml = folder / f"{fault}-{mode}.xml"
        options = ["-q", "-p", "no:cacheprovider", "--timeout=250", "--tb=short"]
        self._command = [sys.executable, "-m", "pytest", *options, *tests]
        self._env = {
            **os.environ,
            "COROGUARD_PLANT": fault,
            "COROGUARD_MODE": mode,
            "COROGUARD_USERS": "60",
            "COROGUARD_SEED": "20250909",
        }

    def finish(self):
        done = subprocess.run(
            [*self._command, f"--junit-xml={self.xml}"],
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        self.exit_code, self.output = done.returncode, done.stdout + done.stderr
        return self

    def failures(self):
        """What each test failed with; a test that did not is not in here."""
        cases = ElementTree.parse(self.xml).iter("testcase")
        shown = ((case.get("name"), case.find("failure")) for case in cases)
        return {
            name: "\n".join([failure.get("message", ""), failure.text or ""])
            for name, failure in shown
            if failure is not None
        }

    def names(self):
        """Every test that was run."""
        return {
            case.get("name") for case in ElementTree.parse(self.xml).iter("testcase")
        }


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All runs, three at a time: they mostly wait for what is broken on purpose."""
    folder = tmp_path_factory.mktemp("planted")
    wanted = {("health-returns-coroutine", "off"): SUITE}
    for fault, gates in FAULTS.items():
        wanted[fault, "enforce"] = tuple(TESTS[gate] for gate in gates)
    with ThreadPoolExecutor(3) as pool:
        yield {
            (fault, mode): pool.submit(Run(folder, tests, fault, mode).finish)
            for (fault, mode), tests in wanted.items()
        }


def test_without_the_guard_every_test_of_the_seed_fails(runs):
    """Guard off and fault planted, each named test fails as before the fix."""
    run = runs["health-returns-coroutine", "off"].result()
    failures = run.failures()
    assert set(failures) == run.names(), run.output
    by_name = {name: [] for name in NAMED}
    for test, text in failures.items():
        by_name[test.partition("[")[0]].append(text)
    silent = [
        name
        for name, texts in by_name.items()
        if not texts or not all(NAMED[name] in text for text in texts)
    ]
    assert silent == []
    assert run.exit_code == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_turns_its_gates_red(runs, fault):
    """With a fault planted, each gate that covers it fails, and gives the reason."""
    run = runs[fault, "enforce"].result()
    failures = run.failures()
    gates = [TESTS[gate].rpartition("::")[2] for gate in FAULTS[fault]]
    named = [gate for gate in gates if gate.startswith("test_")]
    assert [gate for gate in named if gate not in failures] == [], run.output
    assert WORDS[fault] in "".join(failures.values()), run.output
    assert run.exit_code == 1


def test_with_the_guard_on_the_fault_is_named_and_nobody_crashes(runs):
    """Guard on and fault planted, what fails fails on the leak, never on `.get`."""
    run = runs["health-returns-coroutine", "enforce"].result()
    failures = run.failures()
    assert failures
    assert [name for name, text in failures.items() if NO_GET in text] == []


def test_every_fault_can_be_planted_and_is_expected_somewhere():
    """The table in pyproject.toml and the faults that there are name the same."""
    planted = (ROOT / CRITICAL / "plants" / "planted.py").read_text()
    written = planted[planted.index("for function in (") :].split("(")[1].split(")")[0]
    names = {name.strip().replace("_", "-") for name in written.split(",")} - {""}
    assert names == set(FAULTS) == set(WORDS)
