"""Figures and codes in prose, compared with the pages that commands write."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from trees import tree_of

from coroguard import CoroguardError, LeakKind
from coroguard.gates.errors import CollectionError, GateConfigError

ROOT = Path(__file__).parents[2]
WHO_SEES_WHAT = (ROOT / "docs/explanation/who-sees-what.md").read_text()


def rows(text: str) -> dict[str, dict[str, str]]:
    """Return the table about bugs, by the first cell of each row."""
    lines = [it.strip("| ").split(" | ") for it in text.splitlines() if it[:2] == "| "]
    start = next(n for n, cells in enumerate(lines) if "of 32 bugs" in cells)
    head, *body = lines[start:]
    return {
        cells[0]: dict(zip(head, cells, strict=True))
        for cells in body
        if len(cells) == len(head)
    }


def test_readme_has_the_figures_of_the_last_run() -> None:
    """Each figure about real bugs in the README is on the page of the run."""
    measured = rows(WHO_SEES_WHAT)
    for label, cells in rows((ROOT / "README.md").read_text()).items():
        assert cells.items() <= measured[label].items(), label


def test_the_page_counts_the_programs_that_exist() -> None:
    """The columns name as many programs as the corpus has."""
    corpus = ROOT / "tests" / "corpus"
    bugs = [it.read_text() for it in corpus.glob("bugs/[0-9]*.py")]
    correct = list(corpus.glob("correct/[0-9]*.py"))
    health = sum("'health': True" in text for text in bugs)
    security = sum("'security': True" in text for text in bugs)
    for column in (
        f"of {len(bugs)} bugs",
        f"of {health} in health checks",
        f"of {security} in security checks",
        f"false alarms on {len(correct)} right programs",
    ):
        assert f"| {column} |" in WHO_SEES_WHAT


def codes_in_use() -> set[str]:
    """Return every code that the source can print."""
    source = "".join(it.read_text() for it in (ROOT / "src").rglob("*.py"))
    return set(re.findall(r"\bCG\d{3}\b", source))


def test_every_code_is_explained() -> None:
    """Each code has a section on the page on troubleshooting, and no other has."""
    page = (ROOT / "docs/reference/troubleshooting.md").read_text()
    assert set(re.findall(r"^## (CG\d{3}):", page, re.M)) == codes_in_use()


def uncoded(file: Path) -> list[str]:
    """Return the lines of a file that make an error of wrong usage without a code."""
    return [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for call in ast.walk(tree_of(file))
        if isinstance(call, ast.Call)
        and "GuardUsageError" in map(ast.unparse, (call.func, *call.args[:1]))
        and not any(it.arg in ("code", None) for it in call.keywords)
    ]


def test_every_error_of_wrong_usage_has_a_code() -> None:
    """What a user can get wrong ends in a code that the page explains."""
    files = [
        file
        for file in sorted((ROOT / "src").rglob("*.py"))
        if "GuardUsageError" in file.read_text()
    ]
    assert [line for file in files for line in uncoded(file)] == []


@pytest.mark.parametrize("error", [GateConfigError, CollectionError])
def test_errors_of_the_gates_have_a_code_each(error: type[CoroguardError]) -> None:
    """An error of one cause has the code of its class, wherever it is raised."""
    assert str(error("why")) == f"why [{error('why').code}]"
    assert error("why").code in codes_in_use()


@pytest.mark.parametrize("kind", LeakKind)
def test_every_kind_has_a_code(kind: LeakKind) -> None:
    """The code of a kind is its own."""
    assert [it for it in LeakKind if it.code == kind.code] == [kind]
