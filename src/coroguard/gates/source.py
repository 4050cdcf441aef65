"""The tests that a file defines, read from its source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

_Def = ast.FunctionDef | ast.AsyncFunctionDef
# Decorators whose function is not a test, or is replaced on purpose.
_OTHER = {"fixture", "yield_fixture", "property", "cached_property"}
_REPLACED = {"overload", "setter", "getter", "deleter", "register"}


@dataclass(frozen=True, slots=True)
class Naming:
    """The names by which pytest recognizes tests, as prefixes or globs."""

    functions: Sequence[str]
    classes: Sequence[str]

    def is_function(self, name: str) -> bool:
        """Return whether a function of this name is a test."""
        return _fits(name, self.functions)

    def is_class(self, name: str) -> bool:
        """Return whether a class of this name holds tests."""
        return _fits(name, self.classes)


@dataclass(slots=True)
class SourceTest:
    """A test as its file defines it.

    Args:
        name: The classes and the function, separated by `::`.
        lines: The first lines of its decorators and of the function itself.
        gates: The gates that its markers name.
        why: Why pytest cannot collect it, where the source shows that.
        is_plain: Whether nothing but markers decorates it.
    """

    name: str
    lines: tuple[int, int]
    gates: frozenset[str]
    why: str = ""
    is_plain: bool = True


def defined_tests(file: Path, naming: Naming) -> list[SourceTest]:
    """Return the tests that a file defines unconditionally, in order.

    A file that cannot be parsed has none: pytest reports what is wrong with it.
    """
    try:
        module = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    reader = _Reader(naming, _constants(module))
    found = list(reader.read(module.body, "", frozenset(), "", is_case=False))
    last = {test.name: test for test in found}
    for test in found:
        if test is not last[test.name]:
            test.why = f"line {last[test.name].lines[1]} replaces it"
    return found


class _Reader:
    def __init__(self, naming: Naming, names: dict[str, ast.expr | str]) -> None:
        self._naming = naming
        self._names = names

    def read(
        self,
        body: Sequence[ast.stmt],
        prefix: str,
        gates: frozenset[str],
        why: str,
        *,
        is_case: bool,
    ) -> Iterator[SourceTest]:
        gates |= self._gates(_assigned(body, "pytestmark"))
        if _is_false(_assigned(body, "__test__")):
            why = why or "__test__ is False"
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from self._class(node, prefix, gates, why)
            elif isinstance(node, _Def) and self._is_test(node, is_case=is_case):
                marked = gates | self._gates(node.decorator_list)
                first = min([node.lineno, *(it.lineno for it in node.decorator_list)])
                yield SourceTest(
                    prefix + node.name,
                    (first, node.lineno),
                    marked,
                    why,
                    all("mark" in ast.dump(it) for it in node.decorator_list),
                )

    def _class(
        self, node: ast.ClassDef, prefix: str, gates: frozenset[str], why: str
    ) -> Iterator[SourceTest]:
        is_case = any(_last(base).endswith("TestCase") for base in node.bases)
        if not is_case and not self._naming.is_class(node.name):
            return
        made_by = [it.name for it in node.body if isinstance(it, _Def)]
        for name in ("__init__", "__new__"):
            if name in made_by and not is_case:
                why = why or f"its class has an {name}"
        yield from self.read(
            node.body,
            f"{prefix}{node.name}::",
            gates | self._gates(node.decorator_list),
            why,
            is_case=is_case,
        )

    def _is_test(self, node: _Def, *, is_case: bool) -> bool:
        decorators = {_last(it) for it in node.decorator_list}
        if decorators & (_OTHER | _REPLACED):
            return False
        if is_case:
            return node.name.startswith("test")
        return self._naming.is_function(node.name)

    def _gates(self, marks: Sequence[ast.expr]) -> frozenset[str]:
        return frozenset(name for mark in marks for name in self._named(mark))

    def _named(self, mark: ast.expr, depth: int = 0) -> Iterator[str]:
        """Yield the gates that an expression in the place of a marker names."""
        if depth > len(self._names):
            return
        if isinstance(mark, ast.List | ast.Tuple | ast.Set):
            for each in mark.elts:
                yield from self._named(each, depth + 1)
        elif isinstance(mark, ast.Call) and _last(mark.func) == "gate":
            yield from self._texts(mark.args)
        elif isinstance(mark, ast.Name | ast.Attribute):
            value = self._names.get(ast.unparse(mark))
            if isinstance(value, ast.expr):
                yield from self._named(value, depth + 1)
            else:
                yield from _imported_gates(self._imported(mark))

    def _texts(self, arguments: Sequence[ast.expr]) -> Iterator[str]:
        for it in arguments:
            value: Any = it.value if isinstance(it, ast.Constant) else None
            if isinstance(it, ast.Name | ast.Attribute):
                known = self._names.get(ast.unparse(it))
                own = known.value if isinstance(known, ast.Constant) else None
                value = own or self._imported(it)
            if isinstance(value, str):
                yield value

    def _imported(self, name: ast.expr) -> Any:
        """Return an object of a module that has been imported, or ``None``."""
        first, _, rest = ast.unparse(name).partition(".")
        path = self._names.get(first)
        if not isinstance(path, str):
            return None
        steps = [*path.split("."), *filter(None, rest.split("."))]
        for count in range(len(steps), 0, -1):
            thing: Any = sys.modules.get(".".join(steps[:count]))
            if thing is not None:
                for step in steps[count:]:
                    thing = (
                        vars(thing).get(step) if hasattr(thing, "__dict__") else None
                    )
                return thing
        return None


def _imported_gates(thing: Any) -> Iterator[str]:
    marks = thing if isinstance(thing, list | tuple) else [thing]
    for it in marks:
        mark: Any = getattr(it, "mark", it)
        if getattr(mark, "name", None) == "gate":
            yield from (name for name in mark.args if isinstance(name, str))


def _constants(module: ast.Module) -> dict[str, ast.expr | str]:
    """Return the names that a module assigns or imports: expressions or paths."""
    names: dict[str, ast.expr | str] = {}
    for node in module.body:
        if isinstance(node, ast.Assign):
            names |= {ast.unparse(it): node.value for it in node.targets}
        elif isinstance(node, ast.Import):
            for each in node.names:
                path = each.name if each.asname else each.name.partition(".")[0]
                names[each.asname or path] = path
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}.{each.name}"
    return names


def _assigned(body: Sequence[ast.stmt], name: str) -> list[ast.expr]:
    return [
        node.value
        for node in body
        if isinstance(node, ast.Assign)
        and any(isinstance(it, ast.Name) and it.id == name for it in node.targets)
    ]


def _is_false(values: Sequence[ast.expr]) -> bool:
    return any(isinstance(it, ast.Constant) and it.value is False for it in values[-1:])


def _last(node: ast.expr) -> str:
    """Return the last name of a decorator or a base class."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return ast.unparse(node).rpartition(".")[2]


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(
        name.startswith(pattern) or fnmatchcase(name, pattern) for pattern in patterns
    )
