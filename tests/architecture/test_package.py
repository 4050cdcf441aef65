"""The metadata of the distribution, and the shape of its source files."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from trees import tree_of

import coroguard

LONGEST_FILE = 320


def required(extra: str = "") -> set[str]:
    """Return the names that the distribution requires, or adds with an extra."""
    found = set()
    for requirement in metadata.requires("coroguard") or ():
        name, _, marker = requirement.partition(";")
        marker = marker.replace('"', "'")
        if f"extra == '{extra}'" in marker if extra else "extra ==" not in marker:
            found.add(re.split(r"[\s<>=!~\[(]", name, maxsplit=1)[0].lower())
    return found


def test_required_dependencies() -> None:
    """The library requires pydantic, typeguard and wrapt, and nothing else."""
    assert required() == {"pydantic", "typeguard", "wrapt"}


def test_extras() -> None:
    """The command line and the demo are extras."""
    extras = set(metadata.metadata("coroguard").get_all("Provides-Extra") or ())
    assert extras >= {"cli", "demo"}
    assert required("cli") == {"rich", "typer"}


def test_types_are_shipped(package: Path) -> None:
    """Type checkers find the marker of PEP 561."""
    assert (package / "py.typed").is_file()


def test_license_is_shipped() -> None:
    """The licence is named and carried in the metadata."""
    about = metadata.metadata("coroguard")
    assert about["License-Expression"] == "MIT"
    assert about["License-File"] == "LICENSE"


def workflow(root: Path) -> str:
    return (root / ".github/workflows/ci.yml").read_text()


def test_supported_pythons_are_those_of_the_workflow(root: Path) -> None:
    """Each Python that is claimed is one that CI runs the fast tests on."""
    matrix = re.search(r"^ +python: \[(.+)\]$", workflow(root), re.M)
    assert matrix is not None
    tested = re.findall(r'"(3\.\d+)"', matrix[1])
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    claimed = [
        classifier.rpartition(" ")[2]
        for classifier in project["classifiers"]
        if re.search(r":: 3\.\d+$", classifier)
    ]
    assert claimed == tested
    assert project["requires-python"] == f">={tested[0]}"


def test_actions_are_pinned(root: Path) -> None:
    """A tag can be moved to other code, the hash of a commit cannot."""
    actions = re.findall(r"uses: \S+@(\S+)", workflow(root))
    assert actions
    assert [one for one in actions if not re.fullmatch(r"[0-9a-f]{40}", one)] == []


def test_the_lock_holds_versions_only(root: Path) -> None:
    """The lock names no file, no address and no host: it is right on any machine."""
    lines = (root / "requirements/dev.txt").read_text().splitlines()
    pin = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][a-z0-9.]*")
    assert [line for line in lines[1:] if not pin.fullmatch(line)] == []
    assert len(lines) > len(metadata.requires("coroguard") or ())


def test_the_lock_suits_the_first_release_of_this_python(root: Path) -> None:
    """No pin needs a later release, such as 3.11.5 where Debian has 3.11.2."""
    first = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    needs = {}
    for line in (root / "requirements/dev.txt").read_text().splitlines()[1:]:
        with suppress(metadata.PackageNotFoundError):
            found = metadata.metadata(line.partition("==")[0])
            needs[line] = found.get("Requires-Python") or ""
    assert needs
    assert [pin for pin, it in needs.items() if first not in SpecifierSet(it)] == []


def test_slow_tests_give_a_reason(root: Path) -> None:
    """A test that `make check` leaves out states why it takes its time."""
    uses = [
        use
        for file in (root / "tests").rglob("*.py")
        for use in re.findall(r"pytest\.mark\.slow\b(\(\s*reason=)?", file.read_text())
    ]
    assert uses
    assert "" not in uses


def test_changelog_has_this_version(root: Path) -> None:
    """The changelog has a section for what is not released, or for this version."""
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(), re.M)
    assert {"Unreleased", coroguard.__version__} & set(headings)


def test_no_file_is_long(package: Path) -> None:
    """No source file has found a second responsibility."""
    long = {
        str(file.relative_to(package)): lines
        for file in package.rglob("*.py")
        if (lines := file.read_text().count("\n")) > LONGEST_FILE
    }
    assert long == {}


def test_module_docstrings_are_one_line(package: Path) -> None:
    """Each module's docstring is one line; only the error tree is drawn at length."""
    wordy = [
        str(file)
        for file, tree in parsed(package).items()
        if "\n" in (ast.get_docstring(tree) or "\n") and file.name != "errors.py"
    ]
    assert wordy == []


def parsed(package: Path) -> dict[Path, ast.Module]:
    return {file.relative_to(package): tree_of(file) for file in package.rglob("*.py")}


def places(
    package: Path, kind: type[ast.AST], *, beside: set[str]
) -> Iterator[tuple[str, Any]]:
    """Yield each node of a kind with its place in the library, except in ``beside``."""
    for file, tree in parsed(package).items():
        if file.with_suffix("").parts[0] not in beside:
            for node in ast.walk(tree):
                if type(node) is kind:
                    yield f"{file}:{node.lineno}", node


def test_library_never_prints(package: Path) -> None:
    """Nothing below the command line writes to the terminal."""
    printing = [
        place
        for place, call in places(package, ast.Call, beside={"cli", "demo", "__main__"})
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    assert printing == []


def test_nothing_depends_on_assert(package: Path) -> None:
    """The guard contains no ``assert``: ``python -O`` would remove it."""
    beside = {"demo", "gates", "testing"}
    assert [place for place, _ in places(package, ast.Assert, beside=beside)] == []


def test_private_modules_list_no_names(root: Path, package: Path) -> None:
    """Only what the docs name, or what is imported with ``*``, has an ``__all__``."""
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    docs = "\n".join(page.read_text() for page in pages)
    private = {
        ".".join(file.with_suffix("").relative_to(package.parent).parts): file
        for file in package.rglob("*.py")
        if file.name != "__init__.py"
    }
    source = "\n".join(file.read_text() for file in private.values())
    starred = set(re.findall(r"from (?:\w+\.)*(\w+) import \*", source))
    assert [
        name
        for name, file in private.items()
        if re.search(r"^__all__", file.read_text(), re.M)
        and file.stem not in starred
        and not re.search(rf"\b{re.escape(name)}\b", docs)
    ] == []
