"""Modules that are loaded under two names, or hide another file."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._inspect.attributes import file_of, module_name, namespace
from ..findings import FindingKind
from .locations import Place, report
from .rebindings import defined_colour
from .scopes import FUNCTIONS

if TYPE_CHECKING:
    from ..._inspect.colours import Colour
    from ..findings import Finding
    from .module_source import Reading


def before_audit() -> frozenset[str]:
    """Return the names of the modules that are loaded already."""
    return frozenset(sys.modules)


class Doubles:
    """Compares the modules of a package with the files of others.

    Args:
        readings: The package's modules.
        before: The modules that were loaded before the audit imported anything.
    """

    def __init__(self, readings: list[Reading], before: frozenset[str]) -> None:
        self._readings = readings
        self._before = before
        self._functions: dict[str, dict[str, tuple[Colour, int]]] = {}

    def two_names(self) -> Iterator[Finding]:
        """Yield the files that are loaded under two names.

        A name counts if somebody imports it: the audit itself imports all.
        """
        names = {reading.name for reading in self._readings}
        imported = self._imported() | self._before
        for file, modules in _by_file().items():
            known = [it for it in modules if it in imported or it == "__main__"]
            if len(known) > 1 and any(it in names for it in known):
                ours = next(it for it in known if it in names)
                other = next(it for it in known if it != ours)
                yield from self._of_two_names(file, ours, other)

    def shadowed(self) -> Iterator[Finding]:
        """Yield the modules that have another file of their name on the path."""
        names = [(it.name, it.file) for it in self._readings]
        for name, file in dict([*names, *self._direct_imports()]).items():
            for other in _candidates(name, file):
                yield from self._of_shadow(name, file, other)

    def _imported(self) -> set[str]:
        """Return the modules that the package's source imports by name."""
        found: set[str] = set()
        for reading in self._readings:
            for node in reading.source.imports:
                if isinstance(node, ast.Import):
                    found.update(alias.name for alias in node.names)
                    continue
                base = module_name(reading.module, node.module, node.level)
                found.add(base)
                found.update(f"{base}.{alias.name}" for alias in node.names)
        return found

    def _direct_imports(self) -> Iterator[tuple[str, str]]:
        """Yield the top-level modules of others that the package imports."""
        tops = {name.partition(".")[0] for name in self._imported()}
        own = {it.name.partition(".")[0] for it in self._readings}
        for name in sorted(tops - own - set(sys.stdlib_module_names)):
            file = _source_of(sys.modules.get(name))
            if file:
                yield name, file

    def _of_two_names(self, file: str, ours: str, other: str) -> Iterator[Finding]:
        return report(
            FindingKind.TWO_NAMES,
            ours,
            f"{Path(file).name} is loaded twice, as {ours} and as {other}: "
            "a guard on the one is not on the other",
            Place(file, 1, f"loaded as {ours}"),
            Place(file, 1, f"loaded as {other}"),
            f"import it as {ours} everywhere, and take its folder off sys.path",
        )

    def _of_shadow(self, name: str, file: str, other: str) -> Iterator[Finding]:
        mine, theirs = self._colours(file), self._colours(other)
        for function in mine.keys() & theirs.keys():
            colour, line = mine[function]
            hidden, hidden_line = theirs[function]
            if colour is not hidden:
                yield from report(
                    FindingKind.SHADOWED,
                    name,
                    f"{name} hides another file of its name, in which {function} "
                    f"is {hidden}; here it is {colour}",
                    Place(file, line, f"{function}, {colour}"),
                    Place(other, hidden_line, f"{function}, {hidden}"),
                    "rename one of the two files, or take one off sys.path",
                )
                return

    def _colours(self, file: str) -> dict[str, tuple[Colour, int]]:
        """Return colour and line of the public functions of a file, if certain."""
        if file not in self._functions:
            self._functions[file] = dict(_functions(file))
        return self._functions[file]


def _functions(file: str) -> Iterator[tuple[str, tuple[Colour, int]]]:
    try:
        body = ast.parse(Path(file).read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    named = [it for it in body if isinstance(it, FUNCTIONS)]
    names = [it.name for it in named]
    for node in named:
        colour = defined_colour(node)
        if colour and not node.name.startswith("_") and names.count(node.name) == 1:
            yield node.name, (colour, node.lineno)


def _by_file() -> dict[str, list[str]]:
    """Group modules that were loaded from the same file; aliases count once."""
    found: dict[object, dict[int, str]] = {}
    files: dict[object, str] = {}
    for name, module in list(sys.modules.items()):
        file = _source_of(module)
        if file:
            key = _identity(file)
            files.setdefault(key, file)
            found.setdefault(key, {}).setdefault(id(module), name)
    return {
        os.path.realpath(files[key]): list(names.values())
        for key, names in found.items()
        if len(names) > 1
    }


def _identity(file: str) -> object:
    """Return the identity of a file, at a tenth of the cost of realpath."""
    try:
        status = os.stat(file)
    except OSError:  # it is gone, or inside an archive
        return file
    return status.st_dev, status.st_ino


def _source_of(module: object) -> str:
    file = file_of(module)
    return file if file.endswith(".py") else ""


def _candidates(name: str, file: str) -> Iterator[str]:
    """Yield the other files that could have been imported by a module's name."""
    package, _, last = name.rpartition(".")
    seen = {os.path.realpath(file)}
    for folder in _search_path(package):
        for found in (Path(folder, last, "__init__.py"), Path(folder, f"{last}.py")):
            real = os.path.realpath(found)
            if real not in seen and found.is_file():
                seen.add(real)
                yield str(found)


def _search_path(package: str) -> Iterable[str]:
    """Yield the folders in which Python looks for a module, or would.

    Another copy of a package, further down on the path, hides its modules, too.
    """
    if package:
        path: Any = namespace(sys.modules.get(package)).get("__path__", ())
        # A namespace package's path is an object of its own, which may search anew.
        yield from (it for it in getattr(path, "_path", path) if isinstance(it, str))
    for folder in sys.path:
        yield os.path.join(folder or os.curdir, *filter(None, package.split(".")))
