"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from coroguard._files import is_device, write_whole


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
