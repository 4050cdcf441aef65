"""`coroguard gate --matrix`, with faults that only some cells show."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile

import pytest

from coroguard.gates.readiness import ExitCode

CHAT = """
[tool.coroguard.gates.chat]
rule = "a message gets an answer"
tests = ["tests"]
"""
CONFIG = (
    """
[tool.coroguard.matrix]
loop = ["asyncio", "uvloop"]
flags = ["", "-O"]
env = { REDIS_URL = ["redis://127.0.0.1/0", false] }
minimum = { cells = 4 }
"""
    + CHAT
)
TESTS = """
import asyncio, os, sys

async def loop_here():
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]

def test_chat():
    loop = asyncio.run(loop_here())
    assert "REDIS_URL" in os.environ or loop != "uvloop", "no answer"
"""


def test_a_fault_of_two_settings_is_found_and_named(project):
    """A fault that needs two settings turns their cells red, and both are named."""
    pytest.importorskip("uvloop")
    project.write("pyproject.toml", CONFIG)
    project.write("tests/test_chat.py", TESTS)
    ran = project.gate("--matrix")
    matrix = ran.report["matrix"]
    assert ran.code == ExitCode.FAILED
    assert matrix["causes"] == [
        "fails exactly where the loop is uvloop and REDIS_URL is unset"
    ]
    red = [cell["settings"] for cell in matrix["cells"] if cell["verdict"] == "FAILED"]
    green = [it["settings"] for it in matrix["cells"] if it["verdict"] == "PASSED"]
    assert all(it["loop"] == "uvloop" and not it["REDIS_URL"] for it in red)
    assert len(red) + len(green) == len(matrix["cells"]) >= 4
    assert "fails exactly where the loop is uvloop" in ran.out
    assert "in cell" in ran.reasons


def test_schedules_in_a_cell_of_uvloop(project):
    """A test that runs by schedules gets asyncio's own loop, whatever the cell has."""
    pytest.importorskip("uvloop")
    marked = "import pytest\n@pytest.mark.schedules(runs=5)\ndef test_chat"
    schedules = TESTS.replace('"REDIS_URL" in os.environ or ', "")
    schedules = schedules.replace("def test_chat", marked)
    matrix = '[tool.coroguard.matrix]\nloop = ["uvloop"]\n'
    project.write("pyproject.toml", matrix + CHAT)
    project.write("tests/test_chat.py", schedules)
    assert project.gate("--matrix").code == ExitCode.READY


def test_cells_that_cannot_run(project):
    """A cell without its interpreter or its variable is INCOMPLETE, never green."""
    matrix = """
[tool.coroguard.matrix]
env = { NOT_SET_HERE = [false, true] }
python = ["{}.{}", "9.99"]
"""
    current = matrix.replace("{}.{}", "{}.{}".format(*sys.version_info))
    project.write("pyproject.toml", current + CHAT)
    project.write("tests/test_chat.py", "def test_chat(): pass\n")
    ran = project.gate("--matrix")
    cells = ran.report["matrix"]["cells"]
    assert [cell["verdict"] for cell in cells] == ["PASSED", *["INCOMPLETE"] * 3]
    assert "the interpreter 9.99 is not installed" in str(cells)
    assert (ran.code, ran.report["ready"]) == (ExitCode.INCOMPLETE, False)
    assert "NOT READY: matrix (exit code 4)" in ran.out


def make_wheel(folder, version):
    """Write a wheel of a package that holds nothing but its version."""
    name, info = "greeting_of_ours", f"greeting_of_ours-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        ),
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    lines = []
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        lines.append(f"{file},sha256={digest.decode().rstrip('=')},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)


def test_versions_of_a_package(project, tmp_path):
    """Each cell has its own version installed; one that does not exist cannot run."""
    pytest.importorskip("pip")
    wheels = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(wheels, version)
    project.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    axis = "[tool.coroguard.matrix.installed]\ngreeting_of_ours = {}\n"
    project.write("pyproject.toml", axis.format('["1.0", "2.0", "3.0"]') + CHAT)
    tests = """
        import greeting_of_ours

        def test_chat(): assert greeting_of_ours.VERSION == "1.0"
        """
    project.write("tests/test_chat.py", tests)
    ran = project.gate("--matrix")
    cells = ran.report["matrix"]["cells"]
    verdicts = [cell["verdict"] for cell in cells]
    assert verdicts == ["PASSED", "FAILED", "INCOMPLETE"]
    assert "greeting_of_ours==3.0 could not be installed" in cells[2]["reason"]
    assert cells[1]["versions"]["greeting_of_ours"] == "2.0"
    assert ran.report["matrix"]["causes"] == [
        "fails exactly where greeting_of_ours is 2.0"
    ]


def test_a_planted_fault_that_only_one_cell_shows(project):
    """The self-test goes on to the cell that shows a fault, and fails without it."""
    matrix = """
[tool.coroguard]
self_test = { "lost without Redis" = ["chat"] }
[tool.coroguard.matrix]
env = { REDIS_URL = VALUES }
"""
    tests = """
        import os
        planted = os.environ.get("COROGUARD_PLANT")

        def test_chat():
            assert not (planted and "REDIS_URL" not in os.environ)
        """
    project.write("tests/test_chat.py", tests)
    both = matrix.replace("VALUES", "['redis://x', false]")
    project.write("pyproject.toml", both + CHAT)
    ran = project.gate("--matrix", "--self-test")
    assert ran.code == ExitCode.READY, ran.out
    assert "self-test: 1 of 1 planted faults were seen" in ran.out


def test_a_matrix_that_is_asked_for_wrongly(project):
    """Without a matrix, and with an unknown word, nothing is judged."""
    missing = project.gate("--matrix")
    assert missing.code == ExitCode.CONFIGURATION
    assert "[tool.coroguard.matrix]" in missing.out
    wrong = project.gate("--matrix=ful")
    assert wrong.code == ExitCode.CONFIGURATION
    assert "Did you mean 'full'?" in wrong.err
