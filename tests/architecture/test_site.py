"""The documentation site: it builds clean, nothing in it is dead or missing."""

from __future__ import annotations

import importlib
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("furo", reason="the site needs the group docs")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = sorted((DOCS / "reference" / "examples").glob("*.py"))
CONF = runpy.run_path(str(DOCS / "conf.py"))
PUBLIC = [
    f"{module}.{name}"
    for module in CONF["API"]
    for name in importlib.import_module(module).__all__
    if not name.startswith("__")
]
pytestmark = pytest.mark.slow(reason="Sphinx builds all pages")


class _Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for key in ("href", "src"):
            if value := given.get(key):
                self.links.append(value)
        self.anchors |= {value for key in ("id", "name") if (value := given.get(key))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning fails the build."""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n"]
    command += ["-b", "html", "-d", str(place / "doctrees"), str(DOCS), str(place)]
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=250, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    return place


def test_no_link_is_dead(site: Path) -> None:
    """Each link inside the site is to a page that exists, and to an anchor in it."""
    pages = {
        page.resolve(): _Page(page.read_text())
        for page in site.rglob("*.html")
        if "_static" not in page.parts
    }
    dead = []
    for page, parsed in pages.items():
        for link in parsed.links:
            if re.match(r"\w+:|//", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            file = (page.parent / path.partition("?")[0]).resolve() if path else page
            found = pages.get(file)
            if not file.exists() or (found and anchor and anchor not in found.anchors):
                dead.append(f"{page.relative_to(site.resolve())}: {link}")
    assert dead == []


def test_links_of_the_package_page_exist(site: Path) -> None:
    """What README and metadata link to on the site is a page of it."""
    base = CONF["html_baseurl"]
    texts = [(ROOT / name).read_text() for name in ("README.md", "pyproject.toml")]
    linked = re.findall(rf"{re.escape(base)}([^)\"\s#]*)", "".join(texts))
    assert [
        name for name in linked if not (site / (name or "index.html")).exists()
    ] == []
    relative = re.findall(r"\]\((?!\w+:|#)([^)]+)\)", texts[0])
    assert relative == []


def test_every_public_name_is_described(site: Path) -> None:
    """The API page has each public name, in a place that others can link to."""
    anchors = _Page((site / "reference" / "api.html").read_text()).anchors
    assert [name for name in PUBLIC if name not in anchors] == []


def test_code_keeps_its_file_name(site: Path) -> None:
    """The title of a block is shown above it."""
    assert 'caption-text">guarded.py<' in (site / "index.html").read_text()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name: str) -> None:
    """The name has an example of its own, or its module has one for all."""
    have = {path.stem for path in EXAMPLES}
    assert have & {name, name.rpartition(".")[0]}


def test_no_example_is_left_over() -> None:
    """Each example is of a public name or of a public module."""
    assert {path.stem for path in EXAMPLES} <= {*PUBLIC, *CONF["API"]}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("process_mode")
@pytest.mark.allow_leaks("*", reason="examples leak on purpose")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_the_example_runs(example: Path) -> None:
    """The example does what it shows."""
    runpy.run_path(str(example))
