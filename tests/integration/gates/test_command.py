"""The command's output, files, choices and refusals, as a real process."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from coroguard.cli import main
from coroguard.gates.readiness import ExitCode

TWO_GATES = """
[tool.coroguard.gates.first]
title = "The first"
rule = "the first holds"
impact = "all is lost"
category = "unit"
[tool.coroguard.gates.second]
tests = ["tests/integration/test_second.py"]
"""
PLAIN_PYTEST = (sys.executable, "-m", "pytest", "-p", "coroguard.pytest_plugin")
FIRST_FAILS = """
import pytest

@pytest.mark.gate("first")
def test_first():
    assert [1] == [2], "100% | <b>lost</b>"
"""


@pytest.fixture
def two(project):
    """A project with a red unit gate and a green integration gate after it."""
    (project.root / "tests/test_chat.py").unlink()
    project.write("pyproject.toml", TWO_GATES)
    project.write("tests/unit/test_first.py", FIRST_FAILS)
    project.write("tests/integration/test_second.py", "def test_second(): pass")
    return project


def test_a_red_gate_is_explained(two):
    """The terminal shows the table, the rule, the impact, and what it blocks."""
    ran = two.gate()
    assert ran.code == ExitCode.FAILED
    lines = [
        re.sub(r"\d+\.\d s", "0.0 s", line.rstrip()) for line in ran.out.split("\n")
    ]
    assert lines[0].split() == ["gate", "verdict", "evidence", "took"]
    assert " ".join(lines[1].split()) == "The first FAILED 0 of 1 tests 0.0 s"
    assert " ".join(lines[2].split()) == "second PASSED 1 of 1 tests 0.0 s"
    for shown in (
        "The first: FAILED",
        "  rule:     the first holds",
        "  impact:   all is lost",
        "  BLOCKS DEPLOYMENT: yes",
        "NOT READY: first (exit code 1)",
    ):
        assert shown in lines
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in ran.out


def test_what_a_test_writes_steers_no_terminal(two):
    """Control characters and letters that cannot be shown are replaced."""
    body = "import pytest\n@pytest.mark.gate('first')\n"
    body += "def test_first(): raise ValueError('\\x1b[32mü\\ud800 \\x07')\n"
    two.write("tests/unit/test_first.py", body)
    two.environment["PYTHONIOENCODING"] = "ascii"
    ran = two.gate("--markdown", "r.md")
    assert ran.verdicts == {"first": "FAILED", "second": "PASSED"}
    assert "\x1b" not in ran.out + (two.root / "r.md").read_text()


def test_a_bug_of_ours_is_no_verdict(two):
    """Where coroguard itself breaks it leaves with 3, not with Python's 1."""
    two.environment["COROGUARD_SEED"] = "9" * 5000
    ran = two.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INTERNAL, {})
    assert "coroguard itself broke" in ran.out


def test_only_what_was_asked_for(two):
    """A choice takes whole gates, and the last line names the others."""
    ran = two.gate("--category", "integration")
    assert (ran.code, ran.verdicts) == (0, {"second": "PASSED"})
    assert "READY: 1 of 1 gates passed; not asked for: first" in ran.out


@pytest.mark.parametrize("pattern", ["*second*", "test_second.py", "sec*"])
def test_a_pattern_chooses_gates(two, pattern):
    """A glob fits a gate's name, or the file or the node id of one of its tests."""
    assert two.gate("--pattern", pattern).verdicts == {"second": "PASSED"}


def test_two_categories(two):
    """An option that is repeated adds to what is chosen."""
    ran = two.gate("--category", "integration", "--category", "unit")
    assert ran.verdicts == {"first": "FAILED", "second": "PASSED"}


def test_a_choice_of_nothing(two):
    """Where no gate fits, nothing is ready."""
    ran = two.gate("--pattern", "*thrid*")
    assert ran.code == ExitCode.INCOMPLETE
    assert "no gate fits what was asked for; there are: first, second" in ran.out


def test_fail_fast(two):
    """After a red gate that blocks, the others are not run, and that is shown."""
    ran = two.gate("--fail-fast")
    assert ran.code == ExitCode.FAILED
    assert ran.verdicts == {"first": "FAILED", "second": "NOT_RUN"}


def test_a_wrong_category(two):
    """A category that does not exist is refused with the nearest one."""
    ran = two.gate("--category", "integral")
    assert ran.code == ExitCode.CONFIGURATION
    assert "Did you mean 'integration'?" in ran.err


def test_a_gate_that_does_not_block(two):
    """A red gate that blocks nothing is shown and does not count."""
    config = TWO_GATES.replace('"unit"', '"unit"\nblocks_deployment = false')
    two.write("pyproject.toml", config)
    ran = two.gate()
    assert (ran.code, ran.verdicts["first"]) == (0, "FAILED")
    assert "READY: 1 of 2 gates passed; first is FAILED" in ran.out


def test_only_gates_that_do_not_block(two):
    """Where no gate blocks anything, nothing is proven and nothing is ready."""
    config = TWO_GATES.replace('"unit"', '"unit"\nblocks_deployment = false')
    two.write("pyproject.toml", config)
    assert two.gate("--category", "unit").code == ExitCode.INCOMPLETE


def test_a_waiver(two):
    """A waived gate is shown as WAIVED with its reason, and the exit code is 0."""
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)
    waiver = f'waivers = [{{gate = "first", reason = "TICKET-7", until = {until}}}]'
    two.write("pyproject.toml", f"[tool.coroguard]\n{waiver}\n{TWO_GATES}")
    ran = two.gate()
    assert (ran.code, ran.verdicts["first"]) == (0, "WAIVED")
    assert ran.report["gates"][0]["judged"] == "FAILED"
    assert f"TICKET-7 (until {until}; it is FAILED)" in ran.out
    assert "READY: 1 of 2 gates passed; first is WAIVED" in ran.out


def test_an_expired_waiver(two):
    """A waiver that has expired is refused before anything runs."""
    waiver = 'waivers = [{gate = "first", reason = "TICKET-7", until = 2020-12-01}]'
    two.write("pyproject.toml", f"[tool.coroguard]\n{waiver}\n{TWO_GATES}")
    ran = two.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.CONFIGURATION, {})
    assert "expired on 2020-12-01" in ran.out


def test_a_typo_in_the_configuration(two):
    """A key that does not exist is refused with the nearest one."""
    two.write("pyproject.toml", TWO_GATES.replace("impact", "inpact"))
    ran = two.gate()
    assert ran.code == ExitCode.CONFIGURATION
    assert "gates.first.inpact is not a key. Did you mean 'impact'?" in ran.out


def test_no_configuration(project):
    """Without any gate the command prints a table that works when it is pasted."""
    project.write("pyproject.toml", "")
    ran = project.gate()
    assert ran.code == ExitCode.CONFIGURATION
    snippet = ran.out.partition("\n\n")[2].partition("NOT READY")[0]
    project.write("pyproject.toml", snippet)
    (project.root / "tests/test_chat.py").unlink()
    assert project.gate().verdicts == {"health report": "NOT_RUN"}


def test_an_unknown_gate_in_a_mark(two):
    """A mark for a gate that is not configured is refused with the nearest one."""
    two.write("tests/unit/test_first.py", FIRST_FAILS.replace('"first"', '"frist"'))
    ran = two.gate()
    assert ran.code == ExitCode.CONFIGURATION
    assert "Did you mean 'first'?" in ran.out


HANGS = """
import os, pathlib, subprocess, sys, time, pytest
pytestmark = pytest.mark.gate("chat")

def wait_for_an_answer_that_never_comes():
    pathlib.Path("hangs").write_text("!")
    time.sleep(1000)

def test_chat():
    # One that left the session, and one that lost the environment.
    for own, env in ((True, None), (False, {})):
        child = [sys.executable, "-c", "import time; time.sleep(1000)"]
        started = subprocess.Popen(child, start_new_session=own, env=env)
        with open("children", "a") as file:
            file.write(f"{started.pid} ")
    wait_for_an_answer_that_never_comes()
"""


def children(project) -> list[psutil.Process]:
    found = []
    for pid in (project.root / "children").read_text().split():
        try:
            process = psutil.Process(int(pid))
        except psutil.NoSuchProcess:
            continue
        if process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def test_a_gate_that_hangs(project):
    """The limit ends a gate and its children from outside, and shows its stacks."""
    project.write("tests/test_chat.py", HANGS)
    ran = project.gate(jumps_at="hangs")
    assert (ran.code, ran.verdicts) == (ExitCode.INTERNAL, {"chat": "ERROR"})
    assert "after its limit of 300 s" in ran.reasons
    assert "in wait_for_an_answer_that_never_comes" in ran.report["gates"][0]["stacks"]
    assert "in wait_for_an_answer_that_never_comes" in ran.out
    assert children(project) == []


def test_a_gate_that_cannot_be_interrupted(project):
    """A run that ignores every signal it can is ended all the same."""
    stubborn = "import signal\nfor number in (2, 10, 15):\n"
    stubborn += "    signal.signal(number, signal.SIG_IGN)"
    project.write("tests/test_chat.py", HANGS.replace("\ndef", f"\n{stubborn}\ndef", 1))
    assert project.gate(jumps_at="hangs").verdicts == {"chat": "ERROR"}
    assert children(project) == []


def until_it_hangs(project, process) -> None:
    while process.poll() is None and not (project.root / "hangs").exists():
        time.sleep(0.05)


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGINT],
        [signal.SIGTERM],
        [signal.SIGHUP],
        [signal.SIGINT] * 20,
        [signal.SIGTERM, signal.SIGINT, signal.SIGHUP] * 5,
    ],
    ids=lambda numbers: f"{numbers[0].name}-{len(numbers)}",
)
def test_a_cancelled_pipeline(project, numbers):
    """Signals, however often, end the command, its run, and what that started."""
    project.write("tests/test_chat.py", HANGS)
    process = project.start("--json", "r.json")
    until_it_hangs(project, process)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.01)
    process.communicate(timeout=250)
    # Of signals that come together, the system delivers any first.
    assert process.returncode - 128 in numbers
    assert children(project) == []
    assert not (project.root / "r.json").exists()


def test_a_command_in_the_background(project):
    """Signals that are ignored at the start, as with `nohup`, end no command."""
    project.write("tests/test_chat.py", HANGS)
    before = {
        number: signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGHUP)
    }
    try:
        process = project.start(jumps_at="signalled")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    until_it_hangs(project, process)
    for number in before:
        process.send_signal(number)
    project.write("signalled", "!")
    out, _ = process.communicate(timeout=250)
    assert process.returncode == ExitCode.INTERNAL
    assert "after its limit of 300 s" in out
    assert children(project) == []


def test_tests_have_no_input(project):
    """A test that waits for input finds none instead of hanging."""
    body = "import os, pytest\n@pytest.mark.gate('chat')\n"
    body += "def test_chat(): assert os.read(0, 1) == b''\n"
    project.write("tests/test_chat.py", body)
    assert project.gate().code == 0


def test_the_report_names_its_run(two):
    """The JSON names schema, versions, commit, seeds and durations."""
    two.environment["COROGUARD_SEED"] = "7"
    for words in ("init -q .", "add -A", "-c user.name=a -c user.email=a commit -qm x"):
        subprocess.run(["git", *words.split()], cwd=two.root, check=True)
    report = two.gate().report
    assert report["schema"] == 2
    assert {"coroguard", "python", "pytest", "pydantic"} <= set(report["versions"])
    assert re.fullmatch(r"[0-9a-f]{40}", report["commit"]["id"])
    assert report["seeds"] == {"COROGUARD_SEED": "7", "PYTHONHASHSEED": "7"}
    assert 0 < report["gates"][1]["duration_s"] < report["duration_s"]


def test_the_seeds_are_handed_on(project):
    """Tests find the seeds that the report names in their environment."""
    body = "import os, pytest\n@pytest.mark.gate('chat')\ndef test_chat(gate_record):\n"
    body += "    gate_record.measure('seed', int(os.environ['COROGUARD_SEED']))\n"
    body += "    gate_record.measure('hash', int(os.environ['PYTHONHASHSEED']))\n"
    project.write("tests/test_chat.py", body)
    report = project.gate().report
    seeds = [float(seed) for seed in report["seeds"].values()]
    assert [m["value"] for m in report["gates"][0]["measures"]] == seeds


def test_verdicts_are_handed_on(two):
    """A test reads the verdicts of the gates before its own."""
    body = "def test_second(gate_record): "
    body += "assert gate_record.verdicts == {'first': 'FAILED'}"
    two.write("tests/integration/test_second.py", body)
    assert two.gate().verdicts["second"] == "PASSED"


def test_the_files_agree(two):
    """JUnit XML and Markdown agree with the JSON."""
    ran = two.gate("--junit", "r.xml", "--markdown", "r.md")
    suites = ET.parse(two.root / "r.xml").getroot()
    assert {s.get("name"): s.get("failures") for s in suites} == {
        "first": "2",
        "second": "0",
    }
    assert suites.get("tests") == "4"
    markdown = (two.root / "r.md").read_text()
    assert "| The first | **FAILED** | 0 of 1 tests |" in markdown
    assert "&lt;b>lost" in markdown
    assert markdown.startswith("## NOT READY")
    assert ran.report["exit_code"] == ran.code


def test_github_gets_annotations(two):
    """On GitHub Actions the summary is added to, and at most ten lines annotate."""
    body = "import pytest\npytestmark = pytest.mark.gate('first')\n"
    body += "@pytest.mark.parametrize('n', range(12))\ndef test_first(n): assert 0\n"
    two.write("tests/unit/test_first.py", body)
    summary = two.write("summary.md", "before\n")
    two.environment |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    ran = two.gate()
    told = [line for line in ran.out.splitlines() if line.startswith("::")]
    assert len(told) == 10
    assert told[0].startswith("::error title=FAILED%3A first::tests/unit/test_first.py")
    assert summary.read_text().startswith("before\n## NOT READY")


def test_a_device_is_written_to_and_never_replaced(project):
    """An export to a device leaves the device there."""
    before = Path("/dev/null").stat().st_rdev
    assert project.gate("--junit", "/dev/null").code == 0
    assert Path("/dev/null").stat().st_rdev == before


def test_without_the_engine_the_fixture_is_harmless(project):
    """Under plain pytest marks and the fixture work, and nothing is written."""
    body = "import pytest\n@pytest.mark.gate('chat')\ndef test_chat(gate_record):\n"
    body += "    gate_record.did(users=1)\n    assert gate_record.verdicts == {}\n"
    project.write("tests/test_chat.py", body)
    before = sorted(project.root.rglob("*.json"))
    done = subprocess.run(
        [*PLAIN_PYTEST, "-q", "--strict-markers", "-p", "no:cacheprovider"],
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert sorted(project.root.rglob("*.json")) == before


def test_a_missing_extra_is_named(project):
    """Without pytest the command names the extra to install."""
    block = "import sys; sys.modules['pytest'] = None\n"
    block += "from coroguard.cli import main; sys.exit(main(['gate']))"
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.CONFIGURATION
    assert "pip install 'coroguard[gate]'" in done.stderr


def test_the_json_is_json(two):
    """The file is one JSON document that ends with a newline."""
    two.gate()
    text = (two.root / "readiness.json").read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["ready"] is False


AUDITED = """
[tool.pytest.ini_options]
addopts = ["-pcoroguard.pytest_plugin"]
coroguard_audit = ["app"]

[tool.coroguard.gates.names]
rule = "no name has two colours"
tests = ["coroguard-audit[app]"]
"""


@pytest.mark.parametrize(
    ("collides", "code", "verdict"),
    [(False, ExitCode.READY, "PASSED"), (True, ExitCode.FAILED, "FAILED")],
)
def test_an_audit_is_a_gate(project, collides, code, verdict):
    """A gate can expect the audit of a package, and is red where names collide."""
    project.write("pyproject.toml", AUDITED)
    project.write("tests/test_chat.py", "def test_is_no_gate_s(): assert False")
    project.write("app/__init__.py", "")
    project.write("app/checks.py", "def check() -> dict: return {}\n")
    project.write("app/twins.py", "async def check() -> dict: return {}\n")
    imports = "from app.checks import *\n" + "from app.twins import *\n" * collides
    project.write("app/service.py", imports)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (code, {"names": verdict})
    assert ("check is bound twice in app.service" in ran.reasons) is collides


STALE = '{"ready": true}'


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "r.json", "--selftest"),
        ("--selftest", "--json=r.json"),
        ("--json", "r.json", "--category", "integral"),
        ("--json", "r.json", "--junit", "pyproject.toml"),
        ("--json", "r.json", "--junit", "./r.json"),
        ("--json", "r.json", "--junit", "tests"),
    ],
)
def test_a_wrong_command_line_leaves_no_old_file(project, monkeypatch, arguments):
    """What cannot be run leaves no readiness of an earlier run, and exits with 2."""
    monkeypatch.chdir(project.root)
    project.write("r.json", STALE)
    assert main(["gate", *arguments]) == ExitCode.CONFIGURATION
    assert not (project.root / "r.json").exists()
    assert (project.root / "pyproject.toml").exists()


@pytest.mark.parametrize("name", ["pyproject.toml", "conftest.py", "link.json"])
def test_configuration_and_source_are_never_written_over(project, monkeypatch, name):
    """A readiness replaces no configuration and no source, behind a link either."""
    monkeypatch.chdir(project.root)
    project.write("conftest.py", "A = 1")
    (project.root / "link.json").symlink_to("pyproject.toml")
    before = (project.root / name).read_bytes()
    assert main(["gate", "--json", name]) == ExitCode.CONFIGURATION
    assert main(["gate", "--json", name, "--selftest"]) == ExitCode.CONFIGURATION
    assert (project.root / name).read_bytes() == before


def test_an_old_file_that_cannot_be_removed_is_an_error(project, monkeypatch, capsys):
    """Where the earlier readiness has to stay, the exit code is not 1 or 0."""
    monkeypatch.chdir(project.root)
    project.write("r.json", STALE)

    def refuse(_file):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["gate", "--json", "r.json"]) == ExitCode.INTERNAL
    assert "Permission denied" in capsys.readouterr().err


def test_a_reader_that_goes_changes_no_verdict(project):
    """The exit code is that of the gates, also where the reader goes away."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "coroguard", "gate"],
        cwd=project.root,
        env=project.environment,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
