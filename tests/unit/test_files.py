"""Files are written whole or not at all, and no folder outlives its process long."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coroguard._files import is_device, temporary_folder, write_whole

MAKE_AND_DIE = """
import os, pathlib, signal, sys
from coroguard._files import temporary_folder

temporary_folder("scratch-", pathlib.Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    """Where the disk is full, the old file is unchanged and no draft remains."""
    file = tmp_path / "r"
    file.write_text("old")

    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("coroguard._files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "new")
    assert [f.name for f in tmp_path.iterdir()] == ["r"]
    assert file.read_text() == "old"


def test_a_link_stays_a_link(tmp_path):
    """Writing through a link changes its target and keeps the link."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new \u00fc")
    assert link.is_symlink()
    assert target.read_text("utf-8") == "new \u00fc"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/dev/null", True),
        ("/dev/stdout", True),
        ("/proc/self/fd/1", True),
        ("/dev/shm/ready.json", False),
        ("/tmp", True),
        ("/nowhere/ready.json", False),
    ],
)
def test_devices(path, expected):
    """Devices, pipes and folders are never removed or replaced."""
    assert is_device(Path(path)) is expected


def test_folders_of_killed_processes_are_removed(tmp_path: Path) -> None:
    """The next folder of a prefix replaces one that a killed process left."""
    killed = subprocess.run(
        [sys.executable, "-c", MAKE_AND_DIE, str(tmp_path)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    foreign, linked = tmp_path / "scratch-notes", tmp_path / f"{left.name}-link"
    foreign.mkdir()
    linked.symlink_to(foreign)
    running = temporary_folder("scratch-", tmp_path)
    made = temporary_folder("scratch-", tmp_path)
    assert {*tmp_path.iterdir()} == {foreign, linked, running, made}
