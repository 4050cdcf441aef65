"""The ways to write a test, a file or a folder in `tests`."""

from __future__ import annotations

from pathlib import Path

import pytest

from coroguard.gates.paths import base, fits, near, normal

TEST = "tests/chat/test_rooms.py::TestRoom::test_room[a/b-1]"


@pytest.mark.parametrize(
    "entry",
    [
        TEST,
        "./tests/chat/test_rooms.py",
        "tests//chat/",
        "tests/../tests/chat",
        "tests\\chat\\test_rooms.py",
        ".",
        "tests/chat/test_rooms.py::TestRoom",
        "tests/chat/test_rooms.py::TestRoom::test_room",
        "tests/*/test_*.py",
        "tests/**/test_rooms.py",
        "**/test_rooms.py",
        "tests/**/chat",
        "tests/ch?t",
        "tests/chat/test_rooms.py::Test*",
        "tests/chat/test_rooms.py::TestRoom::test_room[a*]",
        "*::test_room",
    ],
)
def test_an_entry_means_the_test(entry, tmp_path):
    """Each way to write a path, a node id or a glob lists the test."""
    assert fits(TEST, normal(entry, tmp_path))


def test_an_absolute_entry_means_the_test(tmp_path):
    """An absolute path is relative to the root, also when the root is a link."""
    root, link = tmp_path / "root", tmp_path / "link"
    (root / "tests/chat").mkdir(parents=True)
    link.symlink_to(root)
    assert fits(TEST, normal(str(root / "tests/chat"), root))
    assert fits(TEST, normal(str(link / "tests"), root))


@pytest.mark.parametrize(
    "entry",
    ["tests/cha", "test_rooms.py", "tests/chat/test_rooms.py::test_room", "*.txt"],
)
def test_an_entry_means_another_test(entry, tmp_path):
    """Part of a name, or another place, does not list the test."""
    assert not fits(TEST, normal(entry, tmp_path))


def test_the_base_holds_what_is_outside():
    """Node ids are relative to a folder that holds the root and all listed files."""
    root = Path("/repo/service")
    assert base(["tests/test_a.py"], root) == root
    assert base(["tests", "../shared/test_a.py::test"], root) == Path("/repo")
    assert normal("../shared/test_a.py", root, Path("/repo")) == "shared/test_a.py"
    assert normal("test_a.py::test", root, Path("/repo")) == "service/test_a.py::test"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("tests/chat/test_romos.py", "tests/chat/test_rooms.py"),
        ("tests/chta", "tests/chat"),
        ("something/else", ""),
    ],
)
def test_the_nearest_is_named(entry, expected):
    """What was not collected is compared with files and folders too."""
    assert near(entry, [TEST]) == expected
