"""The names on the architecture page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = "docs/explanation/how-it-works.md"


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / PAGE).read_text()


def test_paths_exist(page: str, root: Path, package: Path) -> None:
    """Each file and folder that the page names is there."""
    named = set(re.findall(r"\b((?:_\w+|report)/(?:\w+\.py)?)", page))
    named |= set(re.findall(r"`(tests/[\w/.]+)`", page))
    assert len(named) > 15
    assert [
        it for it in named if not ((package / it).exists() or (root / it).exists())
    ] == []


def test_every_module_of_the_core_is_named(page: str, package: Path) -> None:
    """The page has each module of the core, so that a reader finds its part."""
    wings = ("_guard", "_runtime", "_leaks", "report", "_inspect")
    modules = [
        file.relative_to(package).as_posix()
        for wing in wings
        for file in (package / wing).glob("*.py")
        if file.name != "__init__.py"
    ]
    assert len(modules) > 30
    assert [it for it in modules if f"`{it}`" not in page] == []


def test_functions_are_where_the_page_has_them(page: str, package: Path) -> None:
    """Each "`function()` in `module`" is a definition in that module."""
    placed = re.findall(r"`(\w+)(?:\(\))?`(?:, \w+)* in `(\w+/\w+\.py)`", page)
    assert len(placed) > 8
    missing = [
        (name, module)
        for name, module in placed
        if not re.search(
            rf"^(?:def|class) {name}\b", (package / module).read_text(), re.M
        )
    ]
    assert missing == []
