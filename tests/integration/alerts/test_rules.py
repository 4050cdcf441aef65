"""The alert rules, evaluated by Prometheus' own tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import coroguard.alerts

CASES = Path(__file__).with_name("prometheus-rules.test.yml")
FILES = Path(coroguard.alerts.__file__).with_name("files")
LEAK = "or (coroguard_leaks_total > 0 unless coroguard_leaks_total offset 10m)"


def ask(*command: str | Path) -> tuple[int, str]:
    tool = shutil.which(str(command[0]))
    if tool is None:
        pytest.skip(f"not run: {command[0]} is not installed")
    ran = subprocess.run(
        [tool, *map(str, command[1:])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def cases(tmp_path):
    """Return a function that runs the cases against rules."""

    def run(rules):
        (tmp_path / "prometheus-rules.yml").write_text(rules)
        shutil.copy(CASES, tmp_path)
        return ask("promtool", "test", "rules", tmp_path / CASES.name)

    return run


def test_the_rules_fire_and_end_as_described(cases):
    """Each rule fires in its case, with all four fields, and not in the others."""
    code, output = cases((FILES / "prometheus-rules.yml").read_text())
    assert code == 0, output


def test_an_increase_alone_misses_the_first_leak(cases):
    """The usual rule fails the case of the first leak, so the case can fail."""
    rules = (FILES / "prometheus-rules.yml").read_text()
    assert LEAK in rules
    code, output = cases(rules.replace(LEAK, ""))
    assert code == 1
    assert "exp" in output


def test_the_example_is_an_alertmanager_configuration():
    """Alertmanager's own tool takes the example."""
    code, output = ask("amtool", "check-config", FILES / "alertmanager.yml")
    assert code == 0, output
