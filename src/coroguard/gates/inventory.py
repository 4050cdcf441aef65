"""The tests that exist in the source and were not collected."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from .source import Naming, SourceTest, defined_tests
from .witness import code_of

# Folders that hold no tests of the project, whatever its configuration; pytest's
# own default, and what its plugins and package managers make.
_FOREIGN = (
    *("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv"),
    *("{arch}", "__pycache__", "site-packages"),
)


def uncollected(
    session: pytest.Session, items: Sequence[pytest.Item]
) -> list[dict[str, Any]]:
    """Return each test that a file in the scope of this session defines in vain.

    Args:
        session: The session; its arguments are the scope.
        items: All items that were collected, whatever was deselected.
    """
    config = session.config
    naming = Naming(config.getini("python_functions"), config.getini("python_classes"))
    functions = [item for item in items if isinstance(item, pytest.Function)]
    by_name = {_name_of(item): item for item in functions}
    inherited = {key for item in functions for key in _inherited(item)}
    found: list[dict[str, Any]] = []
    for file in _files(config):
        name = Path(os.path.relpath(file, config.rootpath)).as_posix()
        for test in defined_tests(file, naming):
            node_id = f"{name}::{test.name}"
            if (str(file), test.name) in inherited:
                continue
            if why := _why(node_id, test, by_name):
                gates = sorted(test.gates)
                found.append({"id": node_id, "why": why, "gates": gates})
    return found


def _why(node_id: str, test: SourceTest, collected: dict[str, pytest.Function]) -> str:
    """Return why a test was not collected; empty if it was."""
    line = f"line {test.lines[1]}"
    if test.why.endswith("replaces it"):
        return f"{line}: {test.why}"
    item = collected.get(node_id)
    if item is None:
        if not test.is_plain and any(it.startswith(node_id) for it in collected):
            return ""  # a decorator that makes several tests of one
        return f"{line}{test.why and f': {test.why}'}"
    return f"{line}: something replaces it" if _is_replaced(item, test) else ""


def _is_replaced(item: pytest.Function, test: SourceTest) -> bool:
    """Return whether a test of this name is defined elsewhere in the file."""
    code = code_of(item)
    if code is None or not test.is_plain or "<locals>" in code.co_qualname:
        return False
    return bool(
        os.path.realpath(code.co_filename) == os.path.realpath(item.path)
        and code.co_firstlineno not in test.lines
    )


def _name_of(item: pytest.Function) -> str:
    """Return the node id without parameters."""
    name = getattr(item, "originalname", None) or item.name
    return item.nodeid[: len(item.nodeid) - len(item.name)] + name


def _inherited(item: pytest.Function) -> Iterator[tuple[str, str]]:
    """Yield the file and the name of a test in each class it is inherited from."""
    name = getattr(item, "originalname", None) or item.name
    for base in getattr(item.cls, "__mro__", ())[1:]:
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        if file and name in vars(base):
            yield file, f"{base.__qualname__.replace('.', '::')}::{name}"


def _files(config: pytest.Config) -> Iterator[Path]:
    """Yield the test files in the scope of a session, each once."""
    patterns = config.getini("python_files")
    seen: dict[Path, None] = {}
    for argument in config.args:
        start = Path(config.invocation_params.dir, argument.partition("::")[0])
        start = Path(os.path.normpath(start))
        if start.is_file() and start.suffix == ".py":
            seen[start] = None
        elif start.is_dir():
            seen.update(dict.fromkeys(_walk(start, patterns)))
    yield from seen


def _walk(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            it
            for it in folders
            if not any(fnmatchcase(it, pattern) for pattern in _FOREIGN)
            and not Path(parent, it, "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            if name.endswith(".py") and any(fnmatchcase(name, it) for it in patterns):
                yield Path(parent, name)
