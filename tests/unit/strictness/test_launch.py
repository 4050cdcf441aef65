"""The command line of `coroguard run`, before anything is run."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from coroguard import GuardUsageError, cli
from coroguard.strictness.launch import SITE, command_line, environment_of
from coroguard.strictness.packages import names_in

Started = dict[str, Any]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Note what would be executed, instead of becoming it."""
    seen: Started = {}

    def execve(file: str, command: list[str], environ: dict[str, str]) -> None:
        seen.update(file=file, command=command, environ=environ)

    for name in [*os.environ]:
        if name.startswith(("COROGUARD_", "PYTHONPATH")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return seen


def test_environment_of_a_program(started: Started) -> None:
    """Mode, packages and the start-up file are in the program's environment."""
    cli.main(["run", "--strict", "--package", "os", "--package", "json", "--", "-V"])
    environ = started["environ"]
    assert environ["COROGUARD_MODE"] == "strict"
    assert environ["COROGUARD_PACKAGES"] == "os,json"
    assert environ["PYTHONPATH"] == SITE
    assert environ["COROGUARD_RUN"] == str(os.getpid())


def test_program_keeps_its_options(started: Started) -> None:
    """Everything after ``--`` is the program's, a second ``--`` too."""
    cli.main(["run", "--", "-m", "app", "--strict", "--help", "--", "x"])
    expected = [sys.executable, "-m", "app", "--strict", "--help", "--", "x"]
    assert started["command"] == expected
    assert "COROGUARD_MODE" not in started["environ"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is no program; run coroguard run"),
        (["--strict", "--"], "there is no program; run coroguard run"),
        (
            ["--strict", "uvicorn", "app:app", "--port", "0"],
            "run coroguard run ... -- uvicorn app:app --port 0",
        ),
        (["-m", "app"], "run coroguard run ... -- -m app"),
        (["uvicorn", "--", "app:app"], "run coroguard run ... -- uvicorn app:app"),
        (["--", "uvicron-of-nobody"], "there is no program 'uvicron-of-nobody'"),
        (["--", "absent.py"], "there is no program 'absent.py'"),
        (["--mode", "loud", "--", "-V"], "--mode='loud' is not a mode"),
        (["--strict", "--mode", "off", "--", "-V"], "either --strict or --mode off"),
        (["--package", "app", "--", "-V"], "run coroguard run --strict --package app"),
        (["--strict", "--package", "my-app", "--", "-V"], "'my-app' is not the name"),
        (["--strict", "--package", "typeguard", "--", "-V"], "cannot check itself"),
    ],
)
def test_refusal(
    started: Started,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """What cannot be run is refused with 2 and one line with the fix."""
    assert cli.main(["run", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("coroguard: ")
    assert error.count("\n") == 1
    assert started == {}


def test_misspelt_option_is_refused(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option of ours that does not exist is not taken for the program."""
    assert cli.main(["run", "--packge", "app", "--", "-V"]) == 2
    assert "--package" in capsys.readouterr().err
    assert started == {}


def test_package_that_is_not_here_is_hinted_at(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is not found here is reported, and the program runs."""
    cli.main(["run", "--strict", "--package", "asyncoi", "--", "-V"])
    error = capsys.readouterr().err
    assert "no package 'asyncoi' here" in error
    assert "Did you mean 'asyncio'?" in error
    assert started["command"] == [sys.executable, "-V"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", [SITE]),
        ("/a:/b", [SITE, "/a", "/b"]),
        (f"{SITE}:/a", [SITE, "/a"]),
        (f"/a::{SITE}", [SITE, "/a", ""]),
        (SITE, [SITE]),
    ],
)
def test_python_path(path: str, expected: list[str]) -> None:
    """Our folder is first, once, and what was there stays."""
    made = environment_of({"PYTHONPATH": path}, None, [], 1)
    assert made["PYTHONPATH"].split(os.pathsep) == expected


def test_run_inside_a_run() -> None:
    """The inner run's mode holds, and its packages come to those of the outer."""
    outer = environment_of({}, "strict", ["app"], 1)
    inner = environment_of(outer, None, ["lib", "app"], 2)
    assert inner["COROGUARD_PACKAGES"] == "app,lib"
    assert inner["COROGUARD_MODE"] == "strict"
    assert inner["COROGUARD_RUN"] == "2"
    assert environment_of(outer, "observe", [], 2)["COROGUARD_MODE"] == "observe"


def test_script_of_the_same_environment_is_preferred() -> None:
    """A console script is looked for beside the interpreter that has coroguard."""
    found = command_line(["python"], "/usr/bin")[0]
    assert os.path.dirname(found) == os.path.dirname(sys.executable)


def test_program_elsewhere_on_the_path() -> None:
    """A program of another kind is found on PATH."""
    assert command_line(["sh", "-c", "true"], "/usr/bin:/bin")[1:] == ["-c", "true"]


def test_no_mode_of_that_name_in_the_environment() -> None:
    """A wrong word in the environment is named by its variable."""
    with pytest.raises(GuardUsageError, match=r"^COROGUARD_MODE='loud'"):
        environment_of({"COROGUARD_MODE": "loud"}, None, [], 1)


def test_names_between_commas_and_blanks() -> None:
    """Names are parted by commas, blanks or both, and each counts once."""
    assert names_in([" app, lib ,", "lib x.y"]) == ["app", "lib", "x.y"]
