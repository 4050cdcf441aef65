"""The demonstration on a narrow terminal."""

from __future__ import annotations

import io

from rich.console import Console

from coroguard.demo.story.screen import Screen

PATH = "src/coroguard/demo/twins/async_check/" + "long_" * 14 + "name.py:20"


def shown(text: str) -> list[str]:
    """Return the rows of a quoted text on a terminal of 40 columns."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=40, color_system=None)
    Screen(console).quote("log", text)
    return file.getvalue().splitlines()


def test_words_are_not_broken() -> None:
    """A row ends between two words, and each word is whole."""
    text = "  fix:      await check_health(...) where it is called"
    rows = shown(text)[1:]
    assert " ".join(" ".join(row.strip().strip("|") for row in rows).split()) == (
        " ".join(text.split())
    )
    assert all(len(row) <= 40 for row in rows)


def test_a_path_that_is_too_long_stays_whole() -> None:
    """A path that fits into no row can still be copied."""
    assert any(PATH in row for row in shown(f"first: {PATH}"))
