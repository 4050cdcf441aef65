"""Imports only point down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from trees import tree_of

# Top first. A name stands for a module or for a package with all it holds.
LAYERS = (
    ("demo", "__main__", "_site"),
    ("cli", "_arguments"),
    ("pytest_plugin", "monitor"),
    ("__init__",),
    ("strictness", "gates", "integrations"),
    ("health", "bindings", "testing", "alerts"),
    ("_guard",),
    ("_runtime",),
    ("report", "_leaks"),
    ("_inspect",),
    ("_files", "_lazy", "_pyproject", "_version", "_work"),
)
LEVEL = {name: -number for number, layer in enumerate(LAYERS) for name in layer}


def module_name(file: Path, package: Path, *, folded: bool = True) -> str:
    """Return the dotted name below the package; ``__init__`` is the facade's own.

    Unfolded, each package keeps its ``__init__``, which relative imports count from.
    """
    parts = file.relative_to(package).with_suffix("").parts
    is_package = folded and parts[-1] == "__init__" and len(parts) > 1
    return ".".join(parts[:-1] if is_package else parts)


def modules(package: Path) -> dict[str, Path]:
    return {module_name(file, package): file for file in package.rglob("*.py")}


def imports(tree: ast.AST, module: str, known: set[str]) -> Iterator[tuple[str, int]]:
    """Yield each module of the package that is imported, at any depth, and where."""
    for node in statements(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = absolute(node, module)
            targets = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            found = resolve(target, known)
            if found is not None:
                yield found, node.lineno


def absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    above = ["coroguard", *module.split(".")][: -node.level]
    return ".".join([*above, node.module] if node.module else above)


def resolve(target: str, known: set[str]) -> str | None:
    """Return the module that a dotted import names, if it is one of ours."""
    first, *rest = target.split(".")
    if first != "coroguard":
        return None
    while rest and ".".join(rest) not in known:
        rest.pop()
    return ".".join(rest) or "__init__"


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements that run, at any depth: not those for type checkers."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        inner = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            inner = list(node.orelse)
        waiting += [it for it in inner if not isinstance(it, ast.expr)]


@pytest.fixture(scope="module")
def graph(package: Path) -> dict[str, dict[str, int]]:
    """Each module with the modules it imports to run, and the line where it does."""
    files = modules(package)
    graph = {}
    for module, file in files.items():
        tree = tree_of(file)
        where = module_name(file, package, folded=False)
        graph[module] = dict(imports(tree, where, set(files)))
    return graph


def layer(module: str) -> int:
    return LEVEL[module.partition(".")[0]]


def test_every_module_has_a_layer(graph: dict[str, dict[str, int]]) -> None:
    """Each module has a layer in the table."""
    assert {module.partition(".")[0] for module in graph} - set(LEVEL) == set()


def test_imports_point_down(graph: dict[str, dict[str, int]]) -> None:
    """No module imports one of a higher layer, not even inside a function."""
    upward = [
        f"{module}:{line} imports {target}"
        for module, targets in graph.items()
        for target, line in targets.items()
        if layer(target) > layer(module)
    ]
    assert upward == []


def test_no_import_cycles(graph: dict[str, dict[str, int]]) -> None:
    """The modules can be read in dependency order."""
    needed = {module: set(targets) - {module} for module, targets in graph.items()}
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("code", "module", "expected"),
    [
        ("from coroguard.guard import guard", "scan", "guard"),
        ("from coroguard import guard", "scan", "guard"),
        ("from coroguard import HealthReport", "scan", "__init__"),
        ("import coroguard.demo.server", "scan", "demo.server"),
        ("from .events import Event", "scan", "events"),
        ("from . import events", "scan", "events"),
        ("from .. import events", "demo.server", "events"),
        ("from .server import run", "demo.__init__", "demo.server"),
        ("from . import server", "demo.__init__", "demo.server"),
        ("def f():\n    from coroguard import cli", "scan", "cli"),
        ("import asyncio", "scan", None),
        ("if TYPE_CHECKING:\n    from .events import Event", "scan", None),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import coroguard.cli", "scan", "cli"),
        ("try:\n    pass\nexcept OSError:\n    import coroguard.cli", "scan", "cli"),
        ("match 1:\n    case 1:\n        import coroguard.cli", "scan", "cli"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_imports_are_seen(code: str, module: str, expected: str | None) -> None:
    """Absolute, relative and function-level imports all resolve to a module."""
    known = {"scan", "guard", "events", "cli", "demo.server", "__init__"}
    found = [name for name, _ in imports(ast.parse(code), module, known)]
    assert found == ([expected] if expected else [])
