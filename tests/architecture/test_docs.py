"""Code blocks, commands and links of the README and the docs, run and resolved."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#([\w-]+))?\)")
TYPED_AT_HOME = re.compile(
    r"make \w+( \w+=.*)?|\.ci/run|(pip|python -m pip) install .*|git clone .*"
    r"|coroguard demo --serve|export COROGUARD_\w+=\w+"
)
#: Packages that pages use and a new Python may lack.
NEEDED = re.compile(
    r"^\s*(?:from|import) "
    r"(aiohttp|apscheduler|celery|django|fastapi|flask|grpc|httpx|litestar|locust|loguru"
    r"|opentelemetry(?:\.sdk)?|prometheus_client|sentry_sdk|starlette|structlog|uvicorn"
    r"|websockets)\b",
    re.M,
)
# What differs between two runs that are both right.
MASKS = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?"), "<time>"),
    (re.compile(r"\d+(\.\d+)? ?(ms|s|µs)\b"), "<duration>"),
    # The place of a warning at exit: up to 3.12, and since 3.13.
    (re.compile(r"^(sys:1|<sys>:0): ", re.M), "<exit>: "),
)


@dataclass(frozen=True)
class Block:
    """One fenced block and where it stands."""

    language: str
    title: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(
            found[1], found[2] or "", found[3], text.count("\n", 0, found.start()) + 1
        )
        for found in BLOCK.finditer(text)
    ]


def masked(text: str) -> str:
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


#: The record of an error that is raised as well, on the default logger.
RAISED = re.compile(r"^coroguard raised a leak: .*\n(?:  .*\n)*", flags=re.M)


def agrees(shown: str, printed: str) -> bool:
    """Compare, where a line of only ``...`` stands for any number of lines.

    Pages show an error that is raised once, and mostly leave its record out.
    """
    if RAISED.search(shown) is None:
        printed = RAISED.sub("", printed)
    parts = re.split(r"^[ ]*\.\.\.$", masked(shown), flags=re.M)
    pattern = r"(?:.*\n)*?.*".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, masked(printed)) is not None


def run(
    command: list[str] | str, folder: Path, env: dict[str, str], *, errors: int
) -> tuple[int, str, str]:
    finished = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=PIPE,
        stderr=errors,
        text=True,
        timeout=250,
        check=False,
    )
    return finished.returncode, finished.stdout, finished.stderr or ""


def transcript(block: Block) -> list[tuple[str, str]]:
    """Split a console block into commands and what each of them shows."""
    _, *commands = re.split(r"^\$ ", block.text, flags=re.M)
    return [
        (command, shown) for command, _, shown in (c.partition("\n") for c in commands)
    ]


def play(page: Path, folder: Path, env: dict[str, str]) -> None:
    """Run a page from top to bottom."""
    printed: str | None = None
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        match block.language:
            case "python" | "toml" if block.title:
                file = folder / block.title
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text)
                if block.language == "python":
                    compile(block.text, block.title, "exec")
            case "python":
                (folder / "example.py").write_text(block.text)
                program = [sys.executable, "example.py"]
                code, printed, errors = run(program, folder, env, errors=PIPE)
                assert code == 0, f"{where} failed:\n{errors}"
                continue
            case "text" if printed is not None:
                assert agrees(block.text, printed), f"{where} printed:\n{printed}"
            case "console":
                for command, shown in transcript(block):
                    _, output, _ = run(command, folder, env, errors=STDOUT)
                    assert agrees(shown, output), f"{where} `{command}`:\n{output}"
            case _:
                pass
        printed = None


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def starts_a_tool(page: Path) -> bool:
    tools = re.compile(r"^\$ (?:.* )?(?:pytest|coroguard)\b", re.M)
    return any(tools.search(it.text) for it in blocks(page) if it.language == "console")


def is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # nor is what it is part of
        return False


STARTS_A_TOOL = pytest.mark.slow(reason="the page runs pytest or coroguard")
IMPORTS_A_FRAMEWORK = [
    pytest.mark.slow(reason="each program of the page imports a large package"),
    pytest.mark.every_python,
]


def marks(page: Path) -> Any:
    if starts_a_tool(page):
        return STARTS_A_TOOL
    return IMPORTS_A_FRAMEWORK if NEEDED.search(page.read_text()) else ()


@pytest.mark.parametrize(
    "page", [pytest.param(it, marks=marks(it)) for it in PAGES], ids=page_id
)
def test_blocks_run(
    page: Path, tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    """Every block of the page runs and prints what the page shows."""
    for package in NEEDED.findall(page.read_text()):
        # Not imported: Locust would replace the sockets of this process.
        if not is_installed(package):
            pytest.skip(f"the page needs {package}")
    play(page, tmp_path, {**clean_environment, "COLUMNS": "80", "NO_COLOR": "1"})


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_blocks_are_of_a_known_kind(page: Path) -> None:
    """No block hides from the test behind another language."""
    known = {"python", "text", "console", "sh", "toml", "yaml", "ini", "json"}
    fences = re.findall(r"^\s*```(.*)$", page.read_text(), re.M)[::2]
    assert {fence.partition(" ")[0] for fence in fences} <= known
    assert len(fences) == len(blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_data_is_well_formed(page: Path) -> None:
    """Each block of YAML, TOML or JSON parses; a workflow has jobs with steps."""
    for block in blocks(page):
        match block.language:
            case "yaml":
                yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
                data = list(yaml.safe_load_all(block.text))
                if block.title.startswith(".github/workflows/"):
                    assert all(job["steps"] for job in data[0]["jobs"].values())
            case "toml":
                tomllib.loads(block.text)
            case "json":
                json.loads(block.text)
            case _:
                pass


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_files_are_used(page: Path) -> None:
    """Each file that a page shows is imported or run further down."""
    shown = blocks(page)
    unused = [
        block.title
        for number, block in enumerate(shown)
        if block.title
        and block.language == "python"
        and not any(
            re.search(rf"\b{Path(block.title).stem}\b", later.text)
            for later in shown[number + 1 :]
        )
    ]
    assert unused == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_are_known(page: Path) -> None:
    """Each command that a page shows exists."""
    typed = [
        line.partition("  #")[0].strip()
        for block in blocks(page)
        if block.language == "sh"
        for line in block.text.splitlines()
    ]
    assert [line for line in typed if not TYPED_AT_HOME.fullmatch(line)] == []
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    used = re.findall(r"\bmake ([a-z]+)\b(?=[`\s])", "\n".join(typed) + "\n")
    assert set(used) <= targets


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_resolve(page: Path) -> None:
    """Each link inside the project names a file, and a heading in it."""
    broken = []
    for target, anchor in LINK.findall(page.read_text()):
        if re.match(r"\w+:", target):
            continue  # those of the README to the site: see test_site.py
        file = (page.parent / target).resolve()
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a\nc", False),
        ("a\n...\nz", "a\nm\nn\nz", True),
        ("a\n  ...\nz", "a\nm\nn\ny", False),
        ("at 0x7f00aa00bb00", "at 0x7f11cc22dd33", True),
        ("took 1.5 ms", "took 12 ms", True),
        ("took 1.5 ms", "took 1.5 minutes", False),
        ("", "a", False),
    ],
)
def test_comparison(shown: str, printed: str, expected: bool) -> None:
    """The comparison is exact but for addresses, times and ``...`` lines."""
    assert agrees(shown, printed) is expected


def test_a_wrong_page_is_seen(
    tmp_path: Path, clean_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output that a page invents makes its test fail."""
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1)\n```\n\n```text\n2\n```\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    with pytest.raises(AssertionError, match=r"printed:\s+1"):
        play(page, tmp_path, clean_environment)
