"""The plain English of docstrings, comments, messages, names and pages."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ("src", "tests", "benchmarks")
PAGES = ("*.md", "docs/**/*.md", "tests/**/*.md", ".github/**/*.md")

#: Each old pattern with what to write instead.
OLD = {
    r"say|says|said|saying": "return, report, print, state, show",
    r"tells?|told|telling": "return whether, report, distinguish, notify",
    r"hand(?:s|ed|ing)? (?:\w+ )?out": "return, yield, pass",
    r"whoever": "the caller, anyone who",
    r"(?:is|are|was|were) none": "is missing, is rejected, does not exist",
    r"(?<!there )(?:is|are|was) no (?!longer|more|other|way)\w+": "is not a",
    r"stands?(?! for| in for|-| by| out)(?= )|stood": "is, is at, is in, is on",
    r"(?:lead|leads|leading|led) (?:\w+ )?to": "resolve to, cause, name",
    r"what (?:\w+ ){1,2}(?:is|are) to be": "the expected",
    r"(?:is|are|was|were) to be": "must be, is going to be",
}
PATTERNS = [
    (re.compile(rf"\b(?:{old})\b", re.I if "none" not in old else 0), new)
    for old, new in OLD.items()
]
#: Finds every file that has to be read more closely, in one pass over its text.
SUSPECT = re.compile(
    "|".join(
        rf"(?{'' if 'none' in old else 'i'}:(?:\b|_)(?:{old})(?:\b|_))" for old in OLD
    )
)
OLD_NAME = re.compile(r"(?:^|_)(?:say|says|said|tell|tells|told|telling)(?:_|$)")
QUESTION = re.compile(r"(?:What|Which|How|Where|When|Who|Whose|Why|Is|Are|Does|Do)\b")

#: Beginnings of docstrings and comments in place of a noun phrase or a verb.
RIDDLE = re.compile(
    r"\s*(?:r?\"\"\"|#:? )(?:Say|Tell|What|Which|Who|Whose|How|Is|Are|Does|Do|Has|Have"
    r"|Where|When|Of)\b"
)

#: The true uses, as they are written.
TRUE_USES: tuple[str, ...] = ()


def in_comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def in_strings(tree: ast.AST, *, messages: bool) -> Iterator[tuple[int, str]]:
    """Yield each docstring, and where wanted every other string too."""
    for node in ast.walk(tree):
        if messages and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif not messages and isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield node.body[0].lineno, docstring


def in_page(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page that are outside code blocks."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def old_words(text: str) -> Iterator[tuple[str, str]]:
    """Yield each old pattern that a text matches, with its replacement."""
    for use in TRUE_USES:
        text = text.replace(use, "")
    for pattern, new in PATTERNS:
        for found in pattern.finditer(text):
            yield found[0], new


def is_suspect(source: str) -> bool:
    """Return whether a text may have an old pattern, also across lines and strings."""
    joined = re.sub(r"[\s\"'#\\]+", " ", source)
    is_question = QUESTION.match(source.removeprefix('"""'))
    return bool(is_question or SUSPECT.search(joined))


def old_in_python(source: str, *, messages: bool) -> Iterator[str]:
    if not is_suspect(source):
        return
    tree = ast.parse(source)
    texts = [*in_comments(source), *in_strings(tree, messages=messages)]
    for line, text in texts:
        for old, new in old_words(text):
            yield f"{line}: {old!r} (write: {new})"
    for node in ast.walk(tree):
        if (
            messages
            and isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and OLD_NAME.search(node.name)
        ):
            yield f"{node.lineno}: the name {node.name}"
    first = (ast.get_docstring(tree) or "").partition("\n")[0]
    if first.endswith("?") or QUESTION.match(first):
        yield f"1: a question as the module's docstring (write: a noun phrase): {first}"


def old_in_page(text: str) -> Iterator[str]:
    for line, part in in_page(text):
        for old, new in old_words(part):
            yield f"{line}: {old!r} (write: {new})"


def old_in(file: Path) -> list[str]:
    text = file.read_text()
    if file.suffix == ".md":
        return list(old_in_page(text))
    messages = file.relative_to(ROOT).parts[0] == "src"
    return list(old_in_python(text, messages=messages))


def files() -> list[Path]:
    pages = [page for pattern in PAGES for page in ROOT.glob(pattern)]
    sources = [file for folder in PYTHON for file in (ROOT / folder).rglob("*.py")]
    return sorted({*pages, *sources} - {Path(__file__)})


def test_words_are_plain() -> None:
    """No file has a pattern that the style has left behind."""
    found = [
        f"{file.relative_to(ROOT)}:{old}" for file in files() for old in old_in(file)
    ]
    assert found == []


def test_texts_begin_with_what_they_are_about() -> None:
    """No docstring and no comment of the package begins like a question."""
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in sorted((ROOT / "src").rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if RIDDLE.match(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Say whether it is async.", ["Say"]),
        ("The one who was told of it.", ["told"]),
        ("It hands the coroutine out.", []),
        ("It hands out the coroutine.", ["hands out"]),
        ("A forged report is none.", ["is none"]),
        ("The value is None.", []),
        ("The file is no report.", ["is no report"]),
        ("There is no report, and the file is no longer read.", []),
        ("The line stands in a property.", ["stands"]),
        ("`$` stands for the value.", []),
        ("A name that leads to a coroutine.", ["leads to"]),
        ("What the value is to be.", ["What the value is to be", "is to be"]),
        ("An essay is foretold.", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_old_words_are_seen(text: str, expected: list[str]) -> None:
    """Each old pattern is found as a word of its own, and its true uses are not."""
    assert [old for old, _ in old_words(text)] == expected


def test_every_kind_of_text_is_read() -> None:
    """Docstrings, comments, messages, names and the module's question are all seen."""
    source = (
        '"""What is told?"""\n'
        "# says\n"
        'def tell():\n    """Say."""\n    raise ValueError(f"{1} told")\n'
    )
    found = [line.partition(":")[0] for line in old_in_python(source, messages=True)]
    assert sorted(found) == ["1", "1", "2", "3", "4", "5"]


def test_code_blocks_are_not_prose() -> None:
    """What a program prints in a page is judged where the program is."""
    page = "It said so.\n```text\nit said so\n```\nIt says so.\n"
    assert [line.partition(":")[0] for line in old_in_page(page)] == ["1", "5"]
