"""How is a module's source given checks that a correct program never notices?"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

from typeguard._transformer import TypeguardTransformer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

__all__ = ["checked_code", "read_annotation"]

_CHECKS = "typeguard._functions"
#: Which argument of each of typeguard's checks has annotations in it.
_ANNOTATED = {
    "check_argument_types_internal": 1,
    "check_return_type_internal": 2,
    "check_send_type": 2,
    "check_variable_assignment": 1,
    "check_yield_type": 2,
}
_READ = "_cg_read_annotation"


def checked_code(source: bytes, file: str) -> tuple[CodeType, bool]:
    """Compile a module with a check at each annotated place of its functions.

    Returns:
        The code, and whether it has the checks: what typeguard cannot rewrite
        runs as it is.

    Raises:
        SyntaxError: The source is no Python.
    """
    tree = ast.parse(source, file)
    try:
        tree = _Lazily().visit(TypeguardTransformer().visit(tree))
        code = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
    except Exception as error:
        code = compile(source, file, "exec", dont_inherit=True)
        warnings.warn(
            f"{file} is not checked: typeguard cannot rewrite it ({error!r})",
            RuntimeWarning,
            stacklevel=1,
        )
        return code, False
    return code, True


def read_annotation(read: Callable[[], Any]) -> Any:
    """Evaluate an annotation; one that cannot be evaluated here checks nothing."""
    try:
        return read()
    except Exception:
        return Any


class _Lazily(ast.NodeTransformer):
    """Evaluate annotations where an error does no harm.

    Typeguard puts annotations into the function as expressions, where a name
    that exists for type checkers only, that belongs to the class body, or that
    the function has for a variable of its own, is a NameError.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def visit_Module(self, node: ast.Module) -> ast.Module:
        for each in ast.walk(node):
            if isinstance(each, ast.ImportFrom) and each.module == _CHECKS:
                for alias in each.names:
                    if alias.name in _ANNOTATED:
                        name = alias.asname or alias.name
                        self._places[name] = _ANNOTATED[alias.name]
        self.generic_visit(node)
        if self._places:
            helper = ast.alias("read_annotation", _READ)
            node.body.insert(_after_future(node), ast.ImportFrom(__name__, [helper], 0))
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        place = self._places.get(getattr(node.func, "id", ""))
        if place is not None and place < len(node.args):
            node.args[place] = _lazily(node.args[place])
        return node


def _lazily(node: ast.expr) -> ast.expr:
    """Put off each annotation in an argument of a check."""
    if isinstance(node, ast.Dict):  # {"name": (name, annotation)}
        node.values = [_second_lazily(value) for value in node.values]
        return node
    if isinstance(node, ast.List):  # [("name", annotation), [("name", annotation)]]
        node.elts = [
            _lazily(each) if isinstance(each, ast.List) else _second_lazily(each)
            for each in node.elts
        ]
        return node
    return _put_off(node)


def _second_lazily(pair: ast.expr) -> ast.expr:
    if isinstance(pair, ast.Tuple):
        pair.elts[1] = _put_off(pair.elts[1])
    return pair


def _put_off(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant):
        return annotation
    nothing = ast.arguments([], [], None, [], [], None, [])
    read = ast.Lambda(nothing, annotation)
    return ast.Call(ast.Name(_READ, ast.Load()), [read], [])


def _after_future(module: ast.Module) -> int:
    """Return the index of the first statement that may be an import of ours."""
    index = 0
    for number, node in enumerate(module.body):
        is_docstring = number == 0 and isinstance(node, ast.Expr)
        if is_docstring or getattr(node, "module", None) == "__future__":
            index = number + 1
    return index
