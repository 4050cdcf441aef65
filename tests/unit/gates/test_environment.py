"""The environment variables of a gate's runs."""

from __future__ import annotations

import pytest

from coroguard.gates.environment import known, left_out


@pytest.mark.parametrize(
    "name",
    [
        "PYTHONOPTIMIZE",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONWARNINGS",
        "PYTHONPYCACHEPREFIX",
        "PYTEST_ADDOPTS",
        "PYTEST_PLUGINS",
        "PYTEST_XDIST_WORKER",
        "COROGUARD_PLANT",
        "COROGUARD_GATE_JOB",
        "COROGUARD_UNCLAIMED",
    ],
)
def test_what_could_change_a_verdict_is_left_out(name):
    """A variable that changes what runs or what it asserts does not reach a run."""
    environment = {name: "1", "PATH": "/bin"}
    assert known(environment) == {"PATH": "/bin"}
    assert left_out(environment) == [name]


@pytest.mark.parametrize(
    "name", ["PYTHONHASHSEED", "PYTHONUTF8", "PYTEST_DATABASE_URL", "REDIS_URL", "LANG"]
)
def test_other_variables_are_kept(name):
    """The variables of the project, of its services and of the locale stay."""
    assert known({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("value", ["off", "observe", "enforce", ""])
def test_a_weaker_mode_is_left_out(value):
    """A mode that sees less than the gate's own does not reach a run."""
    assert known({"COROGUARD_MODE": value, "COROGUARD_PACKAGES": "app"}) == {}


def test_strict_mode_is_kept():
    """A mode that sees more than the gate's own reaches the run with its packages."""
    strict = {"COROGUARD_MODE": "strict", "COROGUARD_PACKAGES": "app"}
    assert known(strict) == strict
