"""The files for Prometheus, Alertmanager and Grafana that the package ships."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import coroguard.alerts
from coroguard.cli import main

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
promql = pytest.importorskip("promql_parser", reason="promql-parser is not installed")

METRICS = {
    "coroguard_leaks_total",
    "coroguard_check_duration_seconds_bucket",
    "coroguard_check_duration_seconds_count",
    "coroguard_check_healthy",
    "coroguard_checks_left_behind",
    "coroguard_mode",
}


@pytest.fixture
def files() -> Path:
    return Path(coroguard.alerts.__file__).with_name("files")


@pytest.fixture
def rules(files: Path) -> list[dict]:
    groups = yaml.safe_load((files / "prometheus-rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture
def queries(files: Path) -> list[str]:
    board = json.loads((files / "grafana-dashboard.json").read_text())
    return [it["expr"] for panel in board["panels"] for it in panel["targets"]]


def test_there_is_a_rule_for_each_case(rules):
    """Leaks, checks that fail, are slow or silent, hanging ones, and the wrong mode."""
    assert [rule["alert"] for rule in rules] == [
        "CoroutineLeak",
        "HealthCheckUnhealthy",
        "HealthCheckSlow",
        "HealthCheckSilent",
        "HealthChecksLeftBehind",
        "GuardInWrongMode",
    ]


def test_expressions_parse(rules, queries):
    """Each expression is PromQL, with the types that its functions want."""
    for expression in [*(rule["expr"] for rule in rules), *queries]:
        promql.parse(expression.replace("$job", ".*"))


def test_expressions_name_known_metrics(rules, queries):
    """No expression asks for a metric that nothing exports."""
    text = "\n".join([*(rule["expr"] for rule in rules), *queries])
    assert set(re.findall(r"coroguard_\w+", text)) == METRICS


@pytest.mark.parametrize("field", ["title", "message", "impact", "urgency"])
def test_each_alert_has_the_four_fields(field, rules):
    """On call, everybody reads the same four fields of every alert."""
    assert [rule["alert"] for rule in rules if not rule["annotations"].get(field)] == []


def test_urgency_is_a_label_too(rules):
    """Alertmanager routes by labels."""
    for rule in rules:
        assert rule["labels"]["urgency"] == rule["annotations"]["urgency"]


def test_the_route_names_a_receiver(files):
    """Each route of the example has its receiver, which is sent the end."""
    example = yaml.safe_load((files / "alertmanager.yml").read_text())
    (receiver,) = example["receivers"]
    routes = [example["route"], *example["route"]["routes"]]
    assert {route["receiver"] for route in routes} == {receiver["name"]}
    assert receiver["webhook_configs"][0]["send_resolved"] is True


@pytest.mark.parametrize("wrong", ["rate(up)", "sum by (job (up)", "nosuch(up)"])
def test_wrong_expressions_are_seen(wrong):
    """The parser refuses wrong types, syntax and functions."""
    with pytest.raises(ValueError, match=r".+"):
        promql.parse(wrong)


def test_the_command_writes_the_files(files, tmp_path, capsys):
    """`coroguard alerts FOLDER` writes each of them as it is, twice if asked."""
    for _ in range(2):
        assert main(["alerts", str(tmp_path / "new")]) == 0
    written = {it.name: it.read_text() for it in (tmp_path / "new").iterdir()}
    assert written == {it.name: it.read_text() for it in files.iterdir()}
    assert str(tmp_path / "new" / "prometheus-rules.yml") in capsys.readouterr().out


def test_the_command_names_what_cannot_be_written(tmp_path, capsys):
    """A file in the place of the folder is an error, not a traceback."""
    (tmp_path / "taken").touch()
    assert main(["alerts", str(tmp_path / "taken")]) == 2
    assert "coroguard: " in capsys.readouterr().err


def test_the_page_shows_the_rule_that_is_shipped(files):
    """What the how-to page shows of the rules is what the file has."""
    page = Path(__file__).parents[3] / "docs/how-to/alerts.md"
    shown = re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.M | re.S)
    assert shown
    rules = (files / "prometheus-rules.yml").read_text()
    assert [block for block in shown if block not in rules] == []
